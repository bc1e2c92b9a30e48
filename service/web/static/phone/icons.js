/** The phone's pictures: drawn in the colour of their words, and silent to screen readers. */

import { html } from "../vendor/preact-htm.js";

const HANDSET =
  "M6.6 10.8a15.1 15.1 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25c1.1.37 2.3.57 3.6.57a1 1 0 0 1 1 1V20a1 1 0 0 1-1 1" +
  "A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1z";

/** @param {{isDown?: boolean}} props */
export function CallIcon({ isDown = false }) {
  return html`
    <svg class=${isDown ? "icon down" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
      <path d=${HANDSET} fill="currentColor" />
    </svg>
  `;
}

/** @param {{isOff?: boolean}} props */
export function MicrophoneIcon({ isOff = false }) {
  return html`
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor"
      stroke-width="2" stroke-linecap="round">
      <rect x="9" y="3" width="6" height="11" rx="3" fill="currentColor" stroke="none" />
      <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
      ${isOff && html`<path d="M4 3l16 18" />`}
    </svg>
  `;
}
