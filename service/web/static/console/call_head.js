// Who calls, and how the call stands: the first thing one reads.

import { ROOT } from "../entrance.js";
import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { callPath } from "./http.js";
import { LinkMark } from "./link_mark.js";
import { CONSOLE, follow } from "./route.js";
import { Phase } from "./row.js";
import { callerName, causeWord, clock, moment, span, spaced } from "./words.js";

/**
 * @param {{call: any, timeline: any, now: number, link: import("./link.js").LinkState, at: number, mayExport: boolean}} props
 */
export function CallHead({ call, timeline, now, link, at, mayExport }) {
  const [name, company, ticket] = ["client_name", "company", "ticket_id"].map((one) => known(call, one));
  const from = call.from;
  const until = call.ended_at ? moment(call.ended_at) : at ? moment(call.updated_at) : now;
  const drops = call.streams.filter((/** @type {any} */ one) => one.cause !== "new").length;
  const server = timeline?.streams[Math.max(call.streams.length - 1, 0)]?.server;
  const who = callerName({ client_name: name, company, from });
  return html`<header class="call-head">
    <a class="back small" href=${CONSOLE} onClick=${follow}>‹ All calls</a>
    <div class="call-title">
      <h1>${who}</h1>
      ${company && company !== who && html`<span class="call-company">${company}</span>`}
      ${ticket && html`<span class="badge accent mono">${ticket}</span>`}
      ${call.taken_over && html`<span class="badge human">with ${call.taken_over.by || "a person"}</span>`}
    </div>
    <dl class="call-facts">
      <div><dt>Phase</dt><dd><${Phase} phase=${call.phase} /></dd></div>
      <div><dt>Stage</dt><dd>${spaced(call.stage) || "–"}</dd></div>
      <div><dt>Length</dt><dd class="mono">${clock(until - moment(call.opened_at))}</dd></div>
      <div><dt>Streams</dt><dd>${call.streams.length}${drops ? ` · back ${drops === 1 ? "once" : drops === 2 ? "twice" : `${drops} times`}` : ""}</dd></div>
      <div class="wide-only"><dt>Epoch</dt><dd class="mono">${call.epoch}</dd></div>
      <div><dt>Server</dt><dd class="mono">${server || "–"}</dd></div>
      <div><dt>From</dt><dd class="mono">${from || "–"}</dd></div>
      <div class="wide-only"><dt>Position</dt><dd class="mono">${call.position}</dd></div>
    </dl>
    <div class="call-tail row">
      <${LinkMark} link=${link} now=${now} />
      ${mayExport && html`<span class="row small">
        <span class="soft">Export</span>
        <a class="button little" download href=${ROOT + callPath(call.call_sid, "/export?format=text")}>Text</a>
        <a class="button little" download href=${ROOT + callPath(call.call_sid, "/export?format=json")}>JSON</a>
      </span>`}
    </div>
  </header>`;
}

/**
 * What the carrier or the directory said of the caller, else what the caller said.
 * @param {any} call
 * @param {string} name
 * @returns {string}
 */
const known = (call, name) => call.parameters[name] || call.fields[name]?.value || "";

/**
 * Says aloud when a stream is lost and when it is back; once each, and only what happens while one looks.
 * @param {{timeline: any}} props
 */
export function DropVoice({ timeline }) {
  const [text, setText] = useState("");
  const known = useRef(/** @type {string | null} */ (null));
  const last = timeline?.gaps[timeline.gaps.length - 1];
  const mark = last ? `${last.after_epoch}:${last.before_epoch}` : "";
  useEffect(() => {
    if (!timeline) return;
    if (known.current !== null && known.current !== mark && last) {
      const back = `The stream is back after ${span(last.gap_ms)}, ${causeWord(last.cause)}.`;
      setText(last.before_epoch === null ? "The stream was lost. Waiting for the carrier." : back);
    }
    known.current = mark;
  }, [mark, Boolean(timeline)]);
  return html`<p class="away" role="alert">${text}</p>`;
}
