// The continuity timeline: one call as streams, gaps and talk. By pointer and by keyboard, closer and
// wider, with a live edge; the same things stand as a table below it.

import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { items } from "./items.js";
import { Axis, extent, GapColumns, GapLabels, LaneNames, LANES, Levels, Shape } from "./lanes.js";
import { revealing, scaled, whole, within, zoomed } from "./scale.js";
import { useNow, useWidth } from "./ticking.js";
import { TimelineTable } from "./timeline_table.js";
import { clock } from "./words.js";

const GUTTER_PX = 84; // of the lanes' names
const NARROW_PX = 620; // below it the names would take a fifth of the width
const LIVE_WINDOW_MS = 60_000; // what "Live edge" shows

/**
 * @param {{timeline: any, isLive: boolean, atMs: number, onPosition: (position: number) => void}} props
 *   `atMs` is the moment that the page shows, 0 for live
 */
export function Timeline({ timeline, isLive, atMs, onPosition }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const width = useWidth(box, 800);
  const now = Math.max(useNow(isLive ? 500 : 0), timeline.to_ms);
  const end = isLive ? now : timeline.to_ms;
  const all = useMemo(() => items(timeline, end), [timeline, end]);
  const bounds = whole(timeline.from_ms, end);
  const [zoom, setZoom] = useState(/** @type {import("./scale.js").Span | "edge" | null} */ (null));
  const [chosen, setChosen] = useState("");
  const [pointed, setPointed] = useState("");

  const isNarrow = width < NARROW_PX;
  const edge = within({ from: bounds.to - Math.min(LIVE_WINDOW_MS, bounds.to - bounds.from), to: bounds.to }, bounds);
  const span = zoom === "edge" ? edge : zoom ? within(zoom, bounds) : bounds;
  const scale = scaled(span, isNarrow ? 0 : GUTTER_PX, Math.max(width - 2, 200));
  const seen = all.filter((one) => one.to >= span.from && one.from <= span.to);
  const gaps = seen.filter((one) => one.kind === "gap");
  const told = all.find((one) => one.id === (pointed || chosen));
  const tabbed = seen.some((one) => one.id === chosen) ? chosen : (seen[0]?.id ?? "");
  const choose = (/** @type {import("./items.js").Item} */ item) => {
    setChosen(item.id);
    if (zoom && zoom !== "edge") setZoom(revealing(span, item, bounds));
  };
  const closer = (/** @type {number} */ factor) => {
    const focus = told ? (told.from + told.to) / 2 : isLive ? span.to : (span.from + span.to) / 2;
    setZoom(zoomed(span, factor, focus, bounds));
  };
  const drag = useDrag(scale, (by, from) => setZoom(within({ from: from.from - by, to: from.to - by }, bounds)));

  return html`<section class="timeline card" aria-labelledby="timeline-title">
    <header class="panel-head">
      <h2 id="timeline-title">Continuity</h2>
      <${Legend} />
      <div class="zoom" role="group" aria-label="Zoom">
        <button type="button" class="button little" onClick=${() => closer(2)} aria-label="Wider" disabled=${!zoom}>−</button>
        <button type="button" class="button little" onClick=${() => closer(0.5)} aria-label="Closer">+</button>
        <button type="button" class="button little" onClick=${() => setZoom(null)} aria-pressed=${!zoom}>Whole call</button>
        ${isLive && html`<button type="button" class="button little" onClick=${() => setZoom("edge")} aria-pressed=${zoom === "edge"}>Last minute</button>`}
      </div>
    </header>
    <div ref=${box} class="timeline-box" data-zoomed=${Boolean(zoom)} ...${zoom ? drag : {}}>
      <svg width=${width} height=${LANES.end} role="group" aria-label="Timeline of the call; arrow keys go from one thing to the next">
        <${Hatch} />
        <${LaneNames} isNarrow=${isNarrow} />
        <${Axis} scale=${scale} begin=${timeline.from_ms} />
        <${GapColumns} gaps=${gaps} scale=${scale} />
        <${Levels} levels=${timeline.levels} scale=${scale} />
        ${seen.map((one) => html`<${Thing} key=${one.id} item=${one} scale=${scale} isTabbed=${one.id === tabbed}
          onStep=${(/** @type {number} */ by) => step(seen, one, by)} onChoose=${() => choose(one)} onPoint=${setPointed}
          onPosition=${onPosition} begin=${timeline.from_ms} />`)}
        <${GapLabels} gaps=${gaps} scale=${scale} />
        ${isLive && end <= span.to && html`<${Edge} x=${scale.x(end)} />`}
        ${atMs > 0 && html`<line class="playhead" x1=${scale.x(atMs)} x2=${scale.x(atMs)} y1="16" y2=${LANES.end} />`}
      </svg>
    </div>
    <p class="told" aria-hidden="true">
      ${told
        ? html`<span class="told-time">${clock(told.from - timeline.from_ms)}</span> <strong>${told.title}.</strong> ${told.words}`
        : html`<span class="soft">Point at anything, or go through it with the arrow keys. Enter goes to that moment.</span>`}
    </p>
    <${TimelineTable} all=${all} begin=${timeline.from_ms} onPosition=${onPosition} />
  </section>`;
}

/** One thing: focusable, told in words. */
function Thing(/** @type {any} */ { item, scale, isTabbed, onStep, onChoose, onPoint, onPosition, begin }) {
  const [x, width] = extent(item, scale);
  const press = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (by) onStep(by);
    else if (event.key === "Enter" && item.position) onPosition(item.position);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const label = `${clock(item.from - begin)}, ${item.title}. ${item.words}`;
  return html`<g class="thing" id=${`thing-${item.id}`} data-kind=${item.kind} data-who=${item.told.who} data-open=${item.isOpen}
    data-cause=${item.told.cause} data-status=${item.told.status} tabindex=${isTabbed ? 0 : -1} role=${item.position ? "button" : "img"}
    aria-label=${label} data-x=${x} data-width=${width} onFocus=${onChoose} onKeyDown=${press}
    onPointerEnter=${() => onPoint(item.id)} onPointerLeave=${() => onPoint("")} onClick=${() => item.position && onPosition(item.position)}>
    <${Shape} item=${item} scale=${scale} />
  </g>`;
}

/**
 * Moves the focus among what is in sight.
 * @param {import("./items.js").Item[]} seen
 * @param {import("./items.js").Item} from
 * @param {number} by
 */
function step(seen, from, by) {
  const next = seen[Math.min(Math.max(seen.indexOf(from) + by, 0), seen.length - 1)];
  /** @type {SVGElement | null} */ (document.querySelector(`#${CSS.escape(`thing-${next.id}`)}`))?.focus();
}

/**
 * Dragging moves the window.
 * @param {import("./scale.js").Scale} scale
 * @param {(byMs: number, from: import("./scale.js").Span) => void} onDrag
 */
function useDrag(scale, onDrag) {
  const held = useRef(/** @type {{x: number, span: import("./scale.js").Span} | null} */ (null));
  useEffect(() => {
    const drop = () => (held.current = null);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", drop);
    return () => {
      removeEventListener("pointerup", drop);
      removeEventListener("pointercancel", drop);
    };
  }, []);
  return {
    onPointerDown: (/** @type {PointerEvent} */ event) => (held.current = { x: event.clientX, span: scale.span }),
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      if (held.current) onDrag(scale.ms(event.clientX) - scale.ms(held.current.x), held.current.span);
    },
  };
}

const Hatch = () => html`<defs>
  <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
    <line class="hatch-line" x1="0" y1="0" x2="0" y2="6" />
  </pattern>
</defs>`;

const Edge = (/** @type {{x: number}} */ { x }) => html`<g class="edge" aria-hidden="true">
  <line x1=${x} x2=${x} y1="18" y2=${LANES.end} />
  <circle cx=${x} cy="18" r="3.5" />
</g>`;

const Legend = () => html`<ul class="legend" aria-label="Legend">
  <li><svg width="18" height="10" aria-hidden="true"><rect class="legend-heard" width="18" height="10" rx="3" /></svg> heard</li>
  <li><svg width="18" height="10" aria-hidden="true"><rect class="legend-hollow" x=".5" y=".5" width="17" height="9" rx="3" /></svg> not heard</li>
  <li><svg width="18" height="10" aria-hidden="true"><rect class="gap-ground" width="18" height="10" /><rect width="18" height="10" fill="url(#hatch)" /></svg> gap</li>
</ul>`;
