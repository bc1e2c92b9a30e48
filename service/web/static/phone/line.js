/** In a call: how loud both sides are, the keys, mute, and the way out. */

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { CallIcon, MicrophoneIcon } from "./icons.js";
import { Keypad } from "./keypad.js";
import { Meter } from "./meter.js";

/**
 * @param {{session: import("../stayline.js").Session, told: {state: string, reason: string}}} props
 */
export function Line({ session, told }) {
  const [isMuted, setIsMuted] = useState(session.isMuted);
  const [typed, setTyped] = useState(""); // kept here: what was pressed is seen even while it waits
  useEffect(() => setTyped(""), [session]);

  function mute() {
    session.mute(!isMuted);
    setIsMuted(!isMuted);
  }

  function press(digit) {
    if (session.sendDigit(digit)) setTyped((before) => (before + digit).slice(-16));
  }

  const waiting = told.state === "live" ? "" : session.waitingDigits;
  return html`
    ${told.reason === "gesture" &&
    html`<button class="call" onClick=${() => session.allowSound()}><${CallIcon} /><span>Tap to go on</span></button>`}
    ${told.state === "reconnecting" &&
    html`<button class="button" onClick=${() => session.reconnectCall()}>Try now</button>`}
    <section class="card stack" aria-label="How loud it is">
      <${Meter} session=${session} who="caller" label=${isMuted ? "You (muted)" : "You"} />
      <${Meter} session=${session} who="ours" label="Agent" />
    </section>
    <${Keypad} onPress=${press} />
    <p class="typed mono" aria-live="off">
      ${typed || html`<span class="soft">Type digits here, or on your keyboard</span>`}
      ${waiting && html`<span class="badge warn">${waiting} waits to be sent</span>`}
    </p>
    <div class="ends">
      <button class="button mute" aria-pressed=${isMuted} onClick=${mute}>
        <${MicrophoneIcon} isOff=${isMuted} />${isMuted ? "Unmute" : "Mute"}
      </button>
      <button class="button hang" onClick=${() => session.hangUp()}><${CallIcon} isDown />Hang up</button>
    </div>
  `;
}
