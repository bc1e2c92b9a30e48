// Time to pixels: which part of the call is in sight, and where its ticks stand. Pure.

const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600].map((seconds) => seconds * 1000);
const TICK_PX_MIN = 72; // "1:02:07" with room around it
const WINDOW_MS_MIN = 2_000; // closer than that there is nothing to see
const ROOM = 0.015; // of the length, free after the last moment, so that the live edge can be seen

/** @typedef {{from: number, to: number}} Span a stretch of time in milliseconds since the epoch */

/**
 * Maps a stretch of time to a stretch of pixels.
 * @typedef {object} Scale
 * @property {Span} span what is in sight
 * @property {number} left
 * @property {number} right
 * @property {(ms: number) => number} x
 * @property {(x: number) => number} ms
 */

/**
 * @param {Span} span
 * @param {number} left
 * @param {number} right
 * @returns {Scale}
 */
export function scaled(span, left, right) {
  const length = Math.max(span.to - span.from, 1);
  const width = Math.max(right - left, 1);
  return {
    span,
    left,
    right,
    x: (ms) => Math.round((left + ((ms - span.from) / length) * width) * 10) / 10,
    ms: (x) => span.from + ((x - left) / width) * length,
  };
}

/**
 * The whole call as a span, with a little room at the end.
 * @param {number} from
 * @param {number} to
 * @returns {Span}
 */
export function whole(from, to) {
  const length = Math.max(to - from, WINDOW_MS_MIN);
  return { from, to: from + length * (1 + ROOM) };
}

/**
 * Closer or wider around a moment, inside the bounds.
 * @param {Span} span
 * @param {number} factor below 1 is closer
 * @param {number} around the moment that stays where it is
 * @param {Span} bounds
 * @returns {Span}
 */
export function zoomed(span, factor, around, bounds) {
  const full = bounds.to - bounds.from;
  const length = Math.min(Math.max((span.to - span.from) * factor, WINDOW_MS_MIN), full);
  const share = (around - span.from) / Math.max(span.to - span.from, 1);
  return within({ from: around - share * length, to: around + (1 - share) * length }, bounds);
}

/**
 * Moves a span so that it lies inside the bounds.
 * @param {Span} span
 * @param {Span} bounds
 * @returns {Span}
 */
export function within(span, bounds) {
  const length = Math.min(span.to - span.from, bounds.to - bounds.from);
  const from = Math.min(Math.max(span.from, bounds.from), bounds.to - length);
  return { from, to: from + length };
}

/**
 * Moves a span just so far that a stretch is in sight.
 * @param {Span} span
 * @param {Span} part
 * @param {Span} bounds
 * @returns {Span}
 */
export function revealing(span, part, bounds) {
  if (part.from >= span.from && part.to <= span.to) return span;
  const middle = (part.from + part.to) / 2;
  const half = (span.to - span.from) / 2;
  return within({ from: middle - half, to: middle + half }, bounds);
}

/**
 * What of a stretch lies in no gap; the whole of it when nothing would be left.
 * @param {Span} span
 * @param {Span[]} gaps in order of time
 * @returns {Span[]}
 */
export function outside({ from, to }, gaps) {
  const parts = [];
  let begin = from;
  for (const gap of gaps) {
    if (gap.from > begin && gap.from < to) parts.push({ from: begin, to: gap.from });
    if (gap.from < to) begin = Math.max(begin, gap.to);
  }
  if (begin < to) parts.push({ from: begin, to });
  return parts.length ? parts : [{ from, to }];
}

/**
 * The moments to mark on the axis, counted from the call's begin.
 * @param {Scale} scale
 * @param {number} begin
 * @returns {number[]} milliseconds since the epoch
 */
export function ticks({ span, left, right }, begin) {
  const most = Math.max(Math.floor((right - left) / TICK_PX_MIN), 1);
  const step = STEPS_MS.find((one) => (span.to - span.from) / one <= most) ?? STEPS_MS[STEPS_MS.length - 1];
  const first = Math.max(Math.ceil((span.from - begin) / step), 0);
  const last = Math.floor((span.to - begin) / step);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, index) => begin + (first + index) * step);
}
