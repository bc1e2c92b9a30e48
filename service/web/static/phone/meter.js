/** How loud one side is. Drawn past Preact, fifty times a second, and without a word to screen readers. */

import { html, useEffect, useRef } from "../vendor/preact-htm.js";

const FLOOR_DB = -54; // Quieter than a quiet room: an empty bar.
const FALL = 0.06; // How much of the bar a frame of the screen takes back; up it goes at once.

/**
 * @param {{session: import("../stayline.js").Session, who: "caller" | "ours", label: string}} props
 */
export function Meter({ session, who, label }) {
  const bar = useRef(null);

  useEffect(() => {
    let loudest = 0;
    let shown = 0;
    let asked = requestAnimationFrame(draw);
    const listening = new AbortController();
    const hear = ({ detail }) => {
      if (detail.who === who) loudest = Math.max(loudest, share(detail.level));
    };
    session.addEventListener("level", hear, { signal: listening.signal });

    function draw() {
      shown = Math.max(loudest, shown - FALL, 0);
      loudest = 0;
      bar.current?.style.setProperty("--level", shown.toFixed(3));
      asked = requestAnimationFrame(draw);
    }
    return () => {
      listening.abort();
      cancelAnimationFrame(asked);
    };
  }, [session, who]);

  return html`
    <div class="meter" data-who=${who}>
      <span class="label">${label}</span>
      <span class="bar" ref=${bar} aria-hidden="true"></span>
    </div>
  `;
}

/**
 * The share of the bar that a level fills.
 * @param {number} level root mean square, 0 to 1
 */
export function share(level) {
  const db = 20 * Math.log10(Math.max(level, 1e-6));
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
