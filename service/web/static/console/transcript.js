// What was said, as a log: what the caller did not hear is struck and named, and every gap stands where
// it was, with what became of it.

import { html, useEffect, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { capital, unheard } from "./items.js";
import { causeWord, clock, lossWord, moment, reasonWord, span, spaced, statusWord, whoWord } from "./words.js";

const NEAR_PX = 60; // so close to the end, a reader wants to stay at the end

/**
 * @param {{call: any, timeline: any, isLive: boolean, onPosition: (position: number) => void}} props
 */
export function Transcript({ call, timeline, isLive, onPosition }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const isAtEnd = useRef(true);
  const rows = entries(call, timeline);
  const begin = moment(call.opened_at);
  useLayoutEffect(() => {
    if (isAtEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  });
  useEffect(() => {
    isAtEnd.current = true;
  }, [call.call_sid]);
  const note = (/** @type {any} */ { currentTarget: it }) => {
    isAtEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_PX;
  };
  return html`<section class="card transcript" aria-labelledby="transcript-title">
    <h2 id="transcript-title">Transcript</h2>
    <div class="log" ref=${box} role="log" aria-live=${isLive ? "polite" : "off"} aria-labelledby="transcript-title" tabindex="0" onScroll=${note}>
      ${rows.length === 0 && html`<p class="empty">Nothing was said yet.</p>`}
      ${rows.map((row) => html`<${Entry} key=${row.key} row=${row} begin=${begin} onPosition=${onPosition} />`)}
      ${call.saying && html`<p class="line saying" data-who="caller" aria-live="off">
        <span class="line-who">Caller</span><span class="line-time">…</span><span class="line-text">${call.saying}</span>
      </p>`}
    </div>
  </section>`;
}

/**
 * Lines, gaps, tools and acts in order of time; nothing of after the state that is shown.
 * @param {any} call
 * @param {any} timeline
 * @returns {{key: string, at: number, kind: string, told: any}[]}
 */
export function entries(call, timeline) {
  const until = moment(call.updated_at);
  const rows = call.transcript.map((/** @type {any} */ line) => ({ key: `l${line.position}`, at: moment(line.at), kind: "line", told: line }));
  if (timeline) {
    const add = (/** @type {string} */ kind, /** @type {any} */ told, /** @type {number} */ at, /** @type {string | number} */ id) => {
      if (at <= until) rows.push({ key: `${kind}${id}`, at, kind, told });
    };
    timeline.gaps.forEach((/** @type {any} */ gap) => add("gap", gap, gap.from_ms, gap.after_epoch));
    timeline.tools.forEach((/** @type {any} */ tool) => add("tool", tool, tool.from_ms, tool.id));
    timeline.acts.forEach((/** @type {any} */ act) => act.kind !== "say" && add("act", act, act.at_ms, act.position));
    timeline.incidents?.forEach((/** @type {any} */ one) => add("loss", one, one.at_ms, one.position));
  }
  return rows.sort((/** @type {any} */ one, /** @type {any} */ other) => one.at - other.at);
}

/** @param {{row: any, begin: number, onPosition: (position: number) => void}} props */
function Entry({ row, begin, onPosition }) {
  const { told, kind } = row;
  const time = clock(row.at - begin);
  if (kind === "gap") return html`<${Gap} gap=${told} />`;
  if (kind === "tool") {
    return html`<p class="aside small"><span class="line-time">${time}</span> Tool <strong>${spaced(told.tool)}</strong>: ${statusWord(told.status)}</p>`;
  }
  if (kind === "loss") {
    return html`<p class="aside small"><span class="line-time">${time}</span> <span class="badge warn">context lost</span> ${lossWord(told.kind)}.</p>`;
  }
  if (kind === "act") {
    return html`<p class="aside small">
      <span class="line-time">${time}</span> ${capital(spaced(told.kind))}${told.by ? ` by ${told.by}` : ""}${told.text ? html`: <span class="strong">${told.text}</span>` : ""}
    </p>`;
  }
  return html`<${Line} line=${told} time=${time} onPosition=${onPosition} />`;
}

/** @param {{line: any, time: string, onPosition: (position: number) => void}} props */
function Line({ line, time, onPosition }) {
  const rest = line.who === "caller" ? "" : unheard(line);
  const heard = rest ? line.heard : line.text;
  return html`<p class="line" data-who=${line.who}>
    <span class="line-who">${whoWord(line.who)}</span>
    <button type="button" class="line-time" onClick=${() => onPosition(line.position)} aria-label=${`Go to ${time}`}>${time}</button>
    <span class="line-text">
      ${heard}
      ${rest && line.cut && html`<del class="not-heard">${rest}</del> <span class="badge warn not-heard-mark">not heard</span>`}
      ${rest && !line.cut && html`<span class="coming">${rest}</span>`}
    </span>
  </p>`;
}

/** @param {{gap: any}} props */
function Gap({ gap }) {
  const isOpen = gap.before_epoch === null;
  const why = [isOpen ? "cut off" : causeWord(gap.cause), reasonWord(gap.reason)].filter(Boolean).join(", ");
  return html`<div class="gap-row" data-open=${isOpen}>
    <p class="gap-line">
      <span class="gap-swatch" aria-hidden="true"></span>
      <strong>${isOpen ? "Waiting for the carrier" : `Gap of ${span(gap.gap_ms)}`}</strong>
      <span class="soft">${why}</span>
    </p>
    ${gap.restored?.length > 0 && html`<p class="small">${capital(gap.restored.join("; "))}.</p>`}
    ${gap.missed_by_caller && html`<p class="small">Never heard: <del class="not-heard">${gap.missed_by_caller}</del></p>`}
  </div>`;
}
