/** Before a call: who is calling, and the button; or a call that waits, and whether to go on with it. */

import { html, useEffect, useRef } from "../vendor/preact-htm.js";
import { CallIcon } from "./icons.js";

const LETTERS_MAX = 100; // What the server takes of each.
const FIELDS = [
  { name: "client_name", label: "Your name", autocomplete: "name" },
  { name: "company", label: "Company", autocomplete: "organization" },
  { name: "ticket_id", label: "Ticket", autocomplete: "off" },
];

/**
 * Start a new call; all of the form may be left empty.
 * @param {{known: Record<string, string>, label: string,
 *          onCall: (parameters: Record<string, string>) => void}} props
 */
export function Start({ known, label, onCall }) {
  function call(event) {
    event.preventDefault();
    const written = new FormData(event.currentTarget);
    const told = FIELDS.map(({ name }) => [name, String(written.get(name) ?? "").trim()]);
    onCall(Object.fromEntries(told.filter(([, value]) => value !== "")));
  }

  return html`
    <form class="start stack" onSubmit=${call}>
      <button class="call" type="submit"><${CallIcon} /><span>${label}</span></button>
      <p class="soft small about">
        You talk to the agent through this browser. Should the connection break, the call goes on.
      </p>
      <fieldset class="card stack">
        <legend class="label">Who is calling? If you like.</legend>
        ${FIELDS.map(
          ({ name, label: words, autocomplete }) => html`
            <div class="field">
              <label for=${name}>${words}</label>
              <input id=${name} name=${name} class="input" maxlength=${LETTERS_MAX}
                autocomplete=${autocomplete} defaultValue=${known[name] ?? ""} />
            </div>
          `,
        )}
      </fieldset>
    </form>
  `;
}

/**
 * Go on with a call that waits, or leave it.
 * @param {{session: import("../stayline.js").Session, onNew: () => void}} props
 */
export function Offer({ session, onNew }) {
  const goOn = useRef(null);
  useEffect(() => goOn.current?.focus(), []);
  return html`
    <section class="offer stack" aria-labelledby="offer">
      <h2 id="offer">Go on with your call?</h2>
      <p class="soft">
        ${ago(session.awayMs)} this page went away in the middle of a call. The agent remembers where you were.
      </p>
      <button class="call" ref=${goOn} onClick=${() => session.reconnectCall()}>
        <${CallIcon} /><span>Go on</span>
      </button>
      <button class="button quiet" onClick=${onNew}>Leave it, and start a new call</button>
    </section>
  `;
}

/**
 * How long ago, as people say it.
 * @param {number} ms
 */
export function ago(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return "A moment ago";
  return minutes === 1 ? "A minute ago" : `${minutes} minutes ago`;
}
