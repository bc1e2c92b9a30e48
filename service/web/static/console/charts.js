// The service over the last hour: how often calls were cut, how long they stayed cut, how soon they were
// back, and how many there are.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { Plot } from "./plot.js";
import { read } from "./http.js";
import { spaced } from "./words.js";

const OPEN = "stayline.charts";
const FETCH_MS = 60_000; // between two readings when nothing is pushed

/** @typedef {{name: string, values: (number | null)[]}} Line */
/** @typedef {{title: string, unit: string, lines: Line[]}} Chart */

/**
 * The charts of the server's series.
 * @param {any} series by name: one value a step, or, for reconnects, one list a cause
 * @returns {Chart[]}
 */
export function charts(series) {
  const causes = Object.entries(series.reconnects ?? {}).map(([cause, values]) => ({ name: spaced(cause), values }));
  return [
    { title: "Calls", unit: "", lines: lines(series, { live_calls: "going on", calls_opened: "new" }) },
    { title: "Streams that came back", unit: "", lines: causes },
    { title: "Resume time", unit: "ms", lines: lines(series, { resume_p50_ms: "half within", resume_p95_ms: "95 % within" }) },
    { title: "Length of gaps", unit: "ms", lines: lines(series, { gap_p50_ms: "half within", gap_p95_ms: "95 % within" }) },
  ].filter((one) => one.lines.length);
}

/**
 * @param {any} series
 * @param {Record<string, string>} names
 * @returns {Line[]}
 */
function lines(series, names) {
  return Object.entries(names)
    .filter(([key]) => Array.isArray(series[key]))
    .map(([key, name]) => ({ name, values: series[key] }));
}

/** @param {{pushed: any}} props `pushed` is what the board told last; the whole hour is read when that changes */
export function Charts({ pushed }) {
  const [isOpen, setOpen] = useState(() => localStorage.getItem(OPEN) === "1");
  const [figures, setFigures] = useState(/** @type {any} */ (null));
  const fetchedAt = useRef(0);
  useEffect(() => {
    if (!isOpen) return undefined;
    const look = () => {
      fetchedAt.current = Date.now();
      read("/api/figures?minutes=60").then(setFigures, () => setFigures(null));
    };
    look();
    const timer = setInterval(look, FETCH_MS);
    return () => clearInterval(timer);
  }, [isOpen]);
  const toggle = (/** @type {any} */ { currentTarget: { open } }) => {
    setOpen(open);
    localStorage.setItem(OPEN, open ? "1" : "0");
  };
  const shown = figures?.series ?? pushed?.series;
  return html`<details class="charts" open=${isOpen} onToggle=${toggle}>
    <summary>The last hour</summary>
    ${isOpen &&
    (shown
      ? html`<div class="chart-strip">
          ${charts(shown).map((one) => html`<${Plot} key=${one.title} chart=${one} times=${(figures ?? pushed).times} />`)}
        </div>`
      : html`<p class="soft small">No figures yet.</p>`)}
  </details>`;
}
