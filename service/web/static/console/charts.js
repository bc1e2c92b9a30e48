// The server over the last hour: how many calls there are, how often streams came back, which conversations
// survived that, how soon the talk went on, and how long callers heard nothing.

import { html } from "../vendor/preact-htm.js";
import { Plot } from "./plot.js";
import { causeWord } from "./words.js";

/** @typedef {{name: string, values: (number | null)[]}} Line */
/** @typedef {{title: string, unit: string, lines: Line[]}} Chart */
/** @typedef {import("./figures.js").Point} Point */

/**
 * The charts of the server's points.
 * @param {Point[]} points
 * @returns {Chart[]}
 */
export function charts(points) {
  const causes = [...new Set(points.flatMap((point) => Object.keys(point.returns)))];
  const happened = causes.filter((cause) => points.some((point) => point.returns[cause]));
  return [
    {
      title: "Calls",
      unit: "",
      lines: [line("going on", points, (point) => point.live), line("new in 10 s", points, (point) => point.opened)],
    },
    {
      title: "Streams that came back",
      unit: "",
      lines: happened.length
        ? happened.map((cause) => line(causeWord(cause), points, (point) => point.returns[cause] ?? 0))
        : [line("none", points, () => 0)],
    },
    {
      title: "Conversations that met a drop",
      unit: "",
      lines: [summed("survived", points, (point) => point.survived), summed("lost", points, (point) => point.lost)],
    },
    { title: "Time until the talk went on", unit: "ms", lines: spread(points, "resume_ms") },
    { title: "Length of gaps", unit: "ms", lines: spread(points, "gap_ms") },
  ];
}

/**
 * @param {string} name
 * @param {Point[]} points
 * @param {(point: Point) => number | null} value
 * @returns {Line}
 */
const line = (name, points, value) => ({ name, values: points.map(value) });

/**
 * How many there have been since the first of the points: few happen in one step, so that steps would tell nothing.
 * @param {string} name
 * @param {Point[]} points
 * @param {(point: Point) => number} value
 * @returns {Line}
 */
function summed(name, points, value) {
  let sum = 0;
  return line(name, points, (point) => (sum += value(point)));
}

/**
 * @param {Point[]} points
 * @param {"resume_ms" | "gap_ms"} figure
 * @returns {Line[]}
 */
const spread = (points, figure) => [
  line("middle", points, (point) => (point[figure].count ? point[figure].p50 : null)),
  line("95 % within", points, (point) => (point[figure].count ? point[figure].p95 : null)),
];

/**
 * @param {{points: Point[], isOpen: boolean, onToggle: (isOpen: boolean) => void}} props
 */
export function Charts({ points, isOpen, onToggle }) {
  return html`<details class="charts" open=${isOpen} onToggle=${(/** @type {any} */ event) => onToggle(event.currentTarget.open)}>
    <summary>The last hour</summary>
    ${isOpen &&
    (points.length > 1
      ? html`<div class="chart-strip">
          ${charts(points).map((one) => html`<${Plot} key=${one.title} chart=${one} times=${points.map((point) => point.at_ms)} />`)}
        </div>`
      : html`<p class="soft small">The first figures come within half a minute.</p>`)}
  </details>`;
}
