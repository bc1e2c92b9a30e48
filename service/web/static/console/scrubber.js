// Going back in time: the state as of any position, straight from the journal.

import { html, useState } from "../vendor/preact-htm.js";
import { callAddress, go } from "./route.js";
import { clock, moment, spaced } from "./words.js";

/**
 * @param {{call: any, head: number, at: number, isLive: boolean}} props `at` is 0 for the newest state
 */
export function Scrubber({ call, head, at, isLive }) {
  const [copied, setCopied] = useState("");
  const { call_sid: callSid } = call;
  const shown = at || head;
  const to = (/** @type {number} */ position) => {
    const wanted = Math.min(Math.max(position, 1), head);
    // The newest position of a call that goes on is not a moment to stay at.
    go(callAddress(callSid, wanted === head ? 0 : wanted), { replace: true });
  };
  const copy = async () => {
    const address = new URL(callAddress(callSid, shown), location.origin).href;
    try {
      await navigator.clipboard.writeText(address);
      setCopied("Copied.");
    } catch {
      setCopied(address);
    }
    setTimeout(() => setCopied(""), 4_000);
  };
  const words = at
    ? `As of ${at} of ${head}, ${clock(moment(call.updated_at) - moment(call.opened_at))} into the call, ${spaced(call.stage)}`
    : isLive
      ? `Live, at ${head}`
      : `The end, at ${head}`;
  return html`<section class="scrubber" aria-label="Go back in time" data-at=${at}>
    <button type="button" class="button little" onClick=${() => to(shown - 1)} aria-label="One record back" disabled=${shown <= 1}>‹</button>
    <input type="range" min="1" max=${Math.max(head, 1)} value=${shown} aria-label="Position in the call's journal" aria-valuetext=${words}
      onInput=${(/** @type {any} */ event) => to(Number(event.target.value))} />
    <button type="button" class="button little" onClick=${() => to(shown + 1)} aria-label="One record on" disabled=${!at}>›</button>
    <span class="scrubber-words">${words}</span>
    ${at > 0 && html`<button type="button" class="button little primary" onClick=${() => to(head)}>${isLive ? "Back to live" : "Back to the end"}</button>`}
    <button type="button" class="button little quiet" onClick=${copy}>Copy link to this moment</button>
    <span class="small soft" role="status">${copied}</span>
  </section>`;
}
