// Stepping in: a line, digits, a transfer, the end; and before all, whose call it is.

import { html, useRef, useState } from "../vendor/preact-htm.js";
import { callPath, send } from "./http.js";
import { NameField } from "./name.js";
import { callAddress } from "./route.js";
import { mySeat, useSeat } from "./seat.js";
import { Talk } from "./talk.js";
import { clock, moment } from "./words.js";

/**
 * @param {{call: any, me: import("./name.js").Me, now: number, onTold: (text: string) => void}} props
 *   `call` is the live state, also while the page shows an earlier one
 */
export function Actions({ call, me, now, onTold }) {
  const seat = useSeat(call, me.by, onTold);
  const ask = async (/** @type {string} */ what, /** @type {object} */ body, /** @type {string} */ done) => {
    try {
      await send(callPath(call.call_sid, what), body);
      onTold(done);
      return true;
    } catch (trouble) {
      onTold(/** @type {Error} */ (trouble).message);
      return false;
    }
  };
  if (call.phase === "ended") return html`<${After} call=${call} ask=${ask} />`;
  // Only whoever has the call names a seat; the server takes lines for the agent without one.
  const mine = seat.isMine ? { seat: mySeat() } : {};
  const isTheirs = Boolean(seat.held) && !seat.isMine;
  return html`<section class="card actions" aria-labelledby="actions-title" data-seat=${seat.isMine ? "mine" : isTheirs ? "theirs" : "free"}>
    <h2 id="actions-title">Step in</h2>
    <${Seat} seat=${seat} now=${now} me=${me} />
    ${seat.isMine && html`<${Talk} call=${call} seat=${mySeat()} onTold=${onTold} />`}
    <${OneLine} id="say" label=${seat.isMine ? "Say to the caller, in your own words" : "Have a line said to the caller"} button="Say" isOff=${isTheirs}
      placeholder=${seat.isMine ? "You are speaking now" : "A line, in the agent's voice"} max="1000" onSend=${(/** @type {string} */ text) => ask("/say", { text, ...mine }, "It will be said.")} />
    <${OneLine} id="digits" label="Send digits into the call" button="Send" isOff=${isTheirs} placeholder="1234#" max="100" mode="tel"
      onSend=${(/** @type {string} */ digits) => ask("/digits", { digits, ...mine }, "The digits will be sent: the stream restarts once.")} />
    ${call.from_page ? html`<p class="soft small" data-act="no-transfer">A call from a page can't be put through to a number: it has no line that could be dialled on.</p>` : html`<${OneLine} id="transfer" label="Put the caller through to a number" button="Transfer" placeholder="+1 555 010 0100" max="300" mode="tel"
      onSend=${(/** @type {string} */ to) => ask("/transfer", { to }, "The caller will be put through.")} />`}
    <${HangUp} onSure=${() => ask("/hangup", {}, "The call will be ended.")} />
  </section>`;
}

/**
 * Whose call it is.
 * @param {{seat: import("./seat.js").SeatNow, now: number, me: import("./name.js").Me}} props
 */
function Seat({ seat, now, me }) {
  const { held, isMine, isBusy, take, handBack } = seat;
  const since = held ? clock(now - moment(held.since)) : "";
  if (isMine) {
    return html`<div class="seat" data-held="mine">
      <p><strong>You have this call</strong> <span class="soft">for ${since}. The agent is silent.</span></p>
      <button type="button" class="button" disabled=${isBusy} onClick=${handBack}>Hand back to the agent</button>
    </div>`;
  }
  if (held) {
    return html`<div class="seat" data-held="theirs">
      <p><strong>${held.by || "Somebody"} has this call</strong> <span class="soft">for ${since}.${held.by && !held.named ? " The name is as they typed it." : ""}</span></p>
      <button type="button" class="button" disabled=${isBusy} onClick=${take}>Take it from ${held.by || "them"}</button>
    </div>`;
  }
  return html`<div class="seat" data-held="free">
    <button type="button" class="button primary" disabled=${isBusy} onClick=${take}>${isBusy ? "One moment" : "Take over"}</button>
    <${NameField} me=${me} />
    <p class="soft small">The agent falls silent, and you speak.</p>
  </div>`;
}

/**
 * A field and its button.
 * @param {{id: string, label: string, button: string, placeholder: string, max: string, mode?: string, isOff?: boolean, onSend: (text: string) => Promise<boolean>}} props
 */
function OneLine({ id, label, button, placeholder, max, mode = "text", isOff = false, onSend }) {
  const [text, setText] = useState("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const said = text.trim();
    if (said && (await onSend(said))) setText("");
  };
  return html`<form class="field" onSubmit=${submit}>
    <label for=${`act-${id}`}>${label}</label>
    <span class="one-line">
      <input id=${`act-${id}`} class="input" value=${text} maxlength=${max} inputmode=${mode} autocomplete="off" placeholder=${placeholder}
        disabled=${isOff} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
      <button class="button" disabled=${isOff || !text.trim()}>${button}</button>
    </span>
  </form>`;
}

/** Ending a call is asked twice. @param {{onSure: () => Promise<boolean>}} props */
function HangUp({ onSure }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const sure = async () => {
    box.current?.close();
    await onSure();
  };
  return html`<div class="hang-up">
    <button type="button" class="button danger" onClick=${() => box.current?.showModal()}>Hang up</button>
    <dialog ref=${box} aria-labelledby="hang-up-title" class="sure">
      <h2 id="hang-up-title">End this call?</h2>
      <p>The caller is cut off at once, also in the middle of a sentence.</p>
      <div class="row">
        <button type="button" class="button danger" onClick=${sure}>Yes, hang up</button>
        <button type="button" class="button" autofocus onClick=${() => box.current?.close()}>No, go on</button>
      </div>
    </dialog>
  </div>`;
}

/** After the end: calling back. @param {{call: any, ask: (what: string, body: object, done: string) => Promise<boolean>}} props */
function After({ call, ask }) {
  const { callback } = call;
  return html`<section class="card actions" aria-labelledby="actions-title">
    <h2 id="actions-title">The call is over</h2>
    ${callback && html`<p class="small">Call back: <strong>${callback.step}</strong>${callback.outcome ? `, ${callback.outcome}` : ""}.</p>`}
    ${call.carried_on
      ? html`<p class="small">It goes on in <a href=${callAddress(call.carried_on)}>a later call</a>.</p>`
      : html`<div class="row"><button type="button" class="button" onClick=${() => ask("/callback", {}, "The caller will be rung back.")}>Call back</button></div>`}
  </section>`;
}
