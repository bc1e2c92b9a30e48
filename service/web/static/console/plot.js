// One small chart: lines over time, in the page's colours, with its newest values in words.

import { html, useEffect, useRef } from "../vendor/preact-htm.js";
import uPlot from "../vendor/uplot.js";

const HEIGHT = 84;
const DASHES = [[], [5, 3], [2, 3], [8, 3, 2, 3]]; // lines differ by more than colour
const COLOURS = ["--accent", "--caller", "--warn", "--human"];

/** @param {number | null | undefined} value @param {string} unit */
function worded(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "ms") return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
  return String(Math.round(value * 10) / 10);
}

/**
 * @param {{chart: import("./charts.js").Chart, times: number[]}} props `times` in milliseconds since the epoch
 */
export function Plot({ chart, times }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const shape = chart.lines.map((one) => one.name).join();
  useEffect(() => {
    const make = () => {
      plot.current?.destroy();
      if (box.current) plot.current = new uPlot(options(chart, box.current), columns(chart, times), box.current);
    };
    make();
    // Canvas knows no custom properties: another theme is another plot.
    const dark = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("themechange", make);
    dark.addEventListener("change", make);
    const watch = new ResizeObserver(() => box.current && plot.current?.setSize({ width: box.current.clientWidth, height: HEIGHT }));
    if (box.current) watch.observe(box.current);
    return () => {
      removeEventListener("themechange", make);
      dark.removeEventListener("change", make);
      watch.disconnect();
      plot.current?.destroy();
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(columns(chart, times)), [chart, times]);
  const newest = chart.lines.map((one) => `${one.name} ${worded(last(one.values), chart.unit)}`);
  return html`<figure class="card chart">
    <h3>${chart.title}</h3>
    <div class="chart-box" ref=${box} aria-hidden="true"></div>
    <figcaption class="small soft">${newest.join(" · ")}</figcaption>
  </figure>`;
}

/** @param {(number | null)[]} values */
const last = (values) => values.findLast((one) => one !== null);

/** @param {import("./charts.js").Chart} chart @param {number[]} times */
const columns = (chart, times) => [times.map((at) => at / 1000), ...chart.lines.map((one) => one.values)];

/**
 * @param {import("./charts.js").Chart} chart
 * @param {HTMLElement} element
 */
function options(chart, element) {
  const style = getComputedStyle(element);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--ink-soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [6, 4, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: { y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ most) => [0, Math.max(most ?? 0, 1) * 1.1] } },
    axes: [
      { ...axis, size: 18, gap: 2, space: 60, values: (/** @type {any} */ _, /** @type {number[]} */ all) => all.map(hourAndMinute) },
      { ...axis, size: 44, gap: 4, space: 26, values: (/** @type {any} */ _, /** @type {number[]} */ all) => all.map((one) => worded(one, chart.unit)) },
    ],
    series: [
      {},
      ...chart.lines.map((_, index) => ({
        stroke: colour(COLOURS[index % COLOURS.length]),
        dash: DASHES[index % DASHES.length],
        width: 1.5,
        points: { show: false },
        spanGaps: true,
      })),
    ],
  };
}

/** @param {number} seconds */
const hourAndMinute = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
