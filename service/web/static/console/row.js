// One call on the wall: who, where it stands, the last words, and how often it was cut.

import { html, useEffect, useRef } from "../vendor/preact-htm.js";
import { callAddress, follow } from "./route.js";
import { callerName, causeWord, clock, counted, moment, phaseWord, span, spaced, whoWord } from "./words.js";

const BEADS_MAX = 9; // more would be dust
const CUT_LETTERS = 200; // the server tells the end of longer lines

/**
 * @param {{call: any, now: number, isChosen: boolean}} props
 */
export function Row({ call, now, isChosen }) {
  const line = useRef(/** @type {HTMLElement | null} */ (null));
  const link = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!isChosen) return;
    link.current?.focus({ preventScroll: true });
    line.current?.scrollIntoView({ block: "nearest" });
  }, [isChosen]);
  const until = call.ended_at ? moment(call.ended_at) : now;
  const below = call.client_name ? call.company || call.from : call.from;
  return html`<tr ref=${line} class="call-row" data-phase=${call.phase} aria-selected=${isChosen}>
    <td class="cell-phase"><${Phase} phase=${call.phase} /></td>
    <td class="cell-caller">
      <a ref=${link} class="row-link" href=${callAddress(call.call_sid)} onClick=${follow}>${callerName(call)}</a>
      ${below && below !== callerName(call) && html`<span class="below soft small">${below}</span>`}
    </td>
    <td class="cell-ticket">${call.ticket_id && html`<span class="code">${call.ticket_id}</span>`}</td>
    <td class="cell-stage">
      ${call.taken_over_by
        ? html`<span class="badge human">with ${call.taken_over_by}</span>`
        : html`<span class="stage">${spaced(call.stage)}</span>`}
      ${call.agent_waits && html`<span class="badge warn">waits for approval</span>`}
    </td>
    <td class="cell-words">
      ${call.last_line?.text && html`<span class="words"><span class="soft">${whoWord(call.last_line.who)}</span> ${call.last_line.text.length >= CUT_LETTERS ? "…" : ""}${call.last_line.text}</span>`}
    </td>
    <td class="cell-drops"><${Drops} call=${call} /></td>
    <td class="cell-time number" title=${`since ${new Date(call.opened_at).toLocaleString()}`}>${clock(until - moment(call.opened_at))}</td>
  </tr>`;
}

/** A phase: a word, and a shape of its own. @param {{phase: string}} props */
export function Phase({ phase }) {
  return html`<span class="phase" data-phase=${phase}>${phaseWord(phase)}</span>`;
}

/** How often the stream was lost, and how the last loss went. @param {{call: any}} props */
function Drops({ call }) {
  const drops = call.drops ?? 0;
  if (!call.streams) return html`<span class="soft">no stream yet</span>`;
  const beads = Math.min(call.streams, BEADS_MAX);
  const last = call.gap_ms_last ? `last: ${causeWord(call.last_cause)}, ${span(call.gap_ms_last)}` : "";
  return html`<span class="drops">
    <span class="beads" aria-hidden="true">
      ${Array.from({ length: beads }, (_, index) => html`<span class="bead" key=${index}></span>`)}
    </span>
    ${drops
      ? html`<span class="badge ${call.phase === "detached" ? "warn" : ""}">${counted(drops, "drop")}</span>`
      : html`<span class="soft">${call.streams > 1 ? counted(call.streams, "stream") : "unbroken"}</span>`}
    ${call.incidents > 0 && html` <span class="badge warn">context lost</span>`}
    ${last && html`<span class="below soft small">${last}</span>`}
  </span>`;
}
