// The picture of the timeline: lanes of SVG. What a thing is shows by its shape and words, and only then
// by its colour.

import { html } from "../vendor/preact-htm.js";
import { unheard } from "./items.js";
import { strip } from "./levels.js";
import { causeWord, clock, span, spaced } from "./words.js";
import { outside, ticks } from "./scale.js";

const LETTER_PX = 7; // of the small type in bars: a little more than most letters are wide
const LETTER_MS = 65; // of our speech, on average: how long unheard words would have taken
const TINY_PX = 3; // what is shorter than that is drawn as wide as that, to be seen and hit
const KEY_PX = 7.2; // of a key, in type of one width
const LABEL_PX = 44; // room of a gap's length; a label that would lie on its neighbour is left out

/** Where the lanes stand, in pixels from the top. */
export const LANES = { axis: 0, labels: 24, streams: 54, ours: 98, oursLevel: 126, caller: 158, callerLevel: 186, marks: 218, end: 250 };
const BAR = 24;
const LEVEL = 22;

/** Names of the lanes at the left. @param {{isNarrow: boolean}} props */
export function LaneNames({ isNarrow }) {
  if (isNarrow) return null;
  /** @type {[string, number][]} */
  const names = [["Streams", LANES.streams], ["We said", LANES.ours], ["Caller said", LANES.caller], ["Keys, tools", LANES.marks]];
  return html`<g class="lane-names" aria-hidden="true">
    ${names.map(([name, top]) => html`<text key=${name} x="0" y=${top + 16}>${name}</text>`)}
  </g>`;
}

/** The axis and its lines. @param {{scale: import("./scale.js").Scale, begin: number}} props */
export function Axis({ scale, begin }) {
  return html`<g class="axis" aria-hidden="true">
    ${ticks(scale, begin).map((at) => {
      const x = scale.x(at);
      return html`<g key=${at}>
        <line x1=${x} x2=${x} y1="18" y2=${LANES.end} />
        <text x=${x} y="12" text-anchor=${x - scale.left < 12 ? "start" : scale.right - x < 18 ? "end" : "middle"}>${clock(at - begin)}</text>
      </g>`;
    })}
  </g>`;
}

/** Hatched columns where nobody could hear the other. @param {{gaps: Item[], scale: import("./scale.js").Scale}} props */
export function GapColumns({ gaps, scale }) {
  return html`<g class="gap-columns" aria-hidden="true">
    ${gaps.map((one) => {
      const [x, width] = extent(one, scale);
      return html`<g key=${one.id}>
        <rect class="gap-ground" x=${x} y=${LANES.streams} width=${width} height=${LANES.end - LANES.streams} />
        <rect x=${x} y=${LANES.streams} width=${width} height=${LANES.end - LANES.streams} fill="url(#hatch)" />
      </g>`;
    })}
  </g>`;
}

/** Cause and length over each gap that has the room. @param {{gaps: Item[], scale: import("./scale.js").Scale}} props */
export function GapLabels({ gaps, scale }) {
  let free = scale.left;
  return html`<g class="gap-labels" aria-hidden="true">
    ${gaps.map((one) => {
      const [x, width] = extent(one, scale);
      const cause = one.isOpen ? "waiting" : causeWord(one.told.cause);
      const half = Math.max(cause.length * LETTER_PX, LABEL_PX) / 2;
      const middle = Math.min(Math.max(x + width / 2, scale.left + half), scale.right - half);
      if (middle - half < free) return null;
      free = middle + half;
      const length = one.isOpen ? one.to - one.from : (one.told.gap_ms ?? one.to - one.from);
      return html`<g key=${one.id}>
        <text x=${middle} y=${LANES.labels + 9} text-anchor="middle">${cause}</text>
        <text class="gap-length" x=${middle} y=${LANES.labels + 23} text-anchor="middle">${span(length)}</text>
      </g>`;
    })}
  </g>`;
}

/** How loud both sides were. @param {{levels: any[], scale: import("./scale.js").Scale}} props */
export function Levels({ levels, scale }) {
  if (!levels?.length) return null;
  return html`<g class="levels" aria-hidden="true">
    <path data-side="ours" d=${strip(levels, "ours", scale, LANES.oursLevel + LEVEL / 2, LEVEL / 2)} />
    <path data-side="caller" d=${strip(levels, "caller", scale, LANES.callerLevel + LEVEL / 2, LEVEL / 2)} />
  </g>`;
}

/**
 * The shape of one thing.
 * @param {{item: Item, scale: import("./scale.js").Scale}} props
 */
export function Shape({ item, scale }) {
  const [x, width] = extent(item, scale);
  const { told } = item;
  switch (item.kind) {
    case "stream":
      return html`<${Bar} x=${x} width=${width} top=${LANES.streams} text=${`${told.epoch} · ${told.server || "server"}`} />`;
    case "gap":
      return html`<rect class="hit" x=${x} y=${LANES.streams} width=${width} height=${BAR} />`;
    case "speech":
      return html`<${Speech} item=${item} scale=${scale} />`;
    case "tool":
      return html`<${Bar} x=${x} width=${Math.max(width, 10)} top=${LANES.marks} text=${spaced(told.tool)} />`;
    case "key":
      return html`<g class="key">
        <rect x=${x} y=${LANES.marks + 2} width=${8 + told.digit.length * KEY_PX} height="20" rx="4" />
        <text x=${x + 4} y=${LANES.marks + 16}>${told.digit}</text>
      </g>`;
    default:
      return html`<g class="flag">
        <line x1=${x} x2=${x} y1=${LANES.marks - 4} y2=${LANES.marks + BAR} />
        <path d=${`M${x} ${LANES.marks - 4}l10 5l-10 5z`} />
      </g>`;
  }
}

/** What we said: solid as far as it was heard, hollow from there. @param {{item: Item, scale: import("./scale.js").Scale}} props */
function Speech({ item, scale }) {
  const { told } = item;
  if (told.who === "caller") return html`<${Bars} span=${item} gaps=${item.gaps} scale=${scale} top=${LANES.caller} text=${told.text} />`;
  const rest = unheard(told).trim();
  // A line that was given up ends where it was last heard: the rest would have come after.
  const end = told.cut ? Math.min(item.to + rest.length * LETTER_MS, Math.max(item.until, item.to)) : item.to;
  const share = told.text.length ? told.heard.length / told.text.length : 1;
  const solid = told.cut ? (told.heard ? item.to : item.from) : item.from + (end - item.from) * share;
  const hollows = rest ? outside({ from: item.from, to: end }, item.gaps) : [];
  const unsaid = widest(outside({ from: solid, to: end }, item.gaps), scale);
  return html`<g data-cut=${told.cut}>
    ${hollows.map((part) => {
      const [x, width] = extent(part, scale);
      return html`<rect key=${part.from} class="hollow" x=${x + 0.5} y=${LANES.ours + 0.5} width=${Math.max(width - 1, 2)} height=${BAR - 1} rx="4" />`;
    })}
    ${(solid > item.from || (told.heard && !rest)) && html`<${Bars} span=${{ from: item.from, to: solid }} gaps=${item.gaps} scale=${scale} top=${LANES.ours} text=${told.heard} />`}
    ${rest && html`<${Words} x=${unsaid[0]} width=${unsaid[1]} top=${LANES.ours} text=${rest} />`}
  </g>`;
}

/**
 * A bar that is broken where the line was; the words stand in its widest part.
 * @param {{span: import("./scale.js").Span, gaps: import("./scale.js").Span[], scale: import("./scale.js").Scale, top: number, text: string}} props
 */
function Bars({ span, gaps, scale, top, text }) {
  const parts = outside(span, gaps);
  const worded = widest(parts, scale)[0];
  return parts.map((part) => {
    const [x, width] = extent(part, scale);
    return html`<${Bar} key=${part.from} x=${x} width=${width} top=${top} text=${x === worded ? text : ""} />`;
  });
}

/** Where the widest of these parts is drawn, and how wide. @param {import("./scale.js").Span[]} parts @param {import("./scale.js").Scale} scale */
const widest = (parts, scale) => parts.map((part) => extent(part, scale)).reduce((most, one) => (one[1] > most[1] ? one : most));

/** @param {{x: number, width: number, top: number, text: string}} props */
function Bar({ x, width, top, text }) {
  return html`<g>
    <rect class="bar" x=${x} y=${top} width=${width} height=${BAR} rx=${Math.min(4, width / 2)} />
    <${Words} x=${x} width=${width} top=${top} text=${text} />
  </g>`;
}

/** As many words as fit. @param {{x: number, width: number, top: number, text: string}} props */
function Words({ x, width, top, text }) {
  const letters = Math.floor((width - 10) / LETTER_PX);
  if (letters < 3) return null;
  const shown = text.length <= letters ? text : `${text.slice(0, letters - 1).trimEnd()}…`;
  return html`<text class="bar-words" x=${x + 6} y=${top + 16}>${shown}</text>`;
}

/**
 * Where a thing begins and how wide it is; what lies outside of the window is cut off.
 * @param {import("./scale.js").Span} item
 * @param {import("./scale.js").Scale} scale
 * @returns {[number, number]}
 */
export function extent(item, scale) {
  const from = Math.max(scale.x(item.from), scale.left);
  const to = Math.min(scale.x(item.to), scale.right);
  return [from, Math.max(to - from, TINY_PX)];
}

/** @typedef {import("./items.js").Item} Item */
