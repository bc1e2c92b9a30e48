// The panel for talking with one's own voice, while one has the call.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { Meter } from "../phone/meter.js";
import { Headset } from "./headset.js";

const WORDS = { off: "", opening: "Opening the line …", talking: "The caller hears you." };
const AWAY = "The caller's line is away. What you say now is not heard.";

/**
 * @param {{call: any, seat: string, onTold: (text: string) => void}} props
 */
export function Talk({ call, seat, onTold }) {
  const [headset, setHeadset] = useState(/** @type {Headset | null} */ (null));
  const [told, setTold] = useState({ state: "off", words: "" });
  const [isMuted, setMuted] = useState(false);
  const held = useRef(/** @type {Headset | null} */ (null));
  useEffect(() => () => held.current?.close(), []); // The panel goes with the seat.

  const begin = () => {
    const made = new Headset(call.call_sid, seat);
    held.current = made;
    made.addEventListener("state", (/** @type {any} */ { detail }) => {
      setTold(detail);
      if (detail.state === "off") setHeadset(null);
      if (detail.words) onTold(detail.words);
    });
    setMuted(false);
    setHeadset(made);
    void made.open();
  };
  const mute = () => {
    headset?.mute(!isMuted);
    setMuted(!isMuted);
  };

  if (headset === null) return html`<button type="button" class="button primary" onClick=${begin}>Talk</button>`;
  const isAway = told.state === "talking" && call.phase !== "live";
  const words = isAway ? AWAY : told.words || WORDS[/** @type {keyof typeof WORDS} */ (told.state)];
  return html`<div class="talk stack" data-state=${told.state}>
    <p class="small" role="status">${isMuted && !isAway ? "You are muted." : words}</p>
    <${Meter} session=${headset} who="caller" label=${isMuted ? "You (muted)" : "You"} />
    <${Meter} session=${headset} who="ours" label="Caller" />
    <div class="row">
      <button type="button" class="button" aria-pressed=${isMuted} onClick=${mute}>${isMuted ? "Unmute" : "Mute"}</button>
      <button type="button" class="button" onClick=${() => headset.close()}>Stop talking</button>
    </div>
  </div>`;
}
