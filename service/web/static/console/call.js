// One call's page: how it stands, its continuity, its words, and how to step in.

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { Actions } from "./actions.js";
import { CallHead, DropVoice } from "./call_head.js";
import { Fields, Notes, Tools } from "./facts.js";
import { useCall } from "./feed.js";
import { useKeys } from "./keys.js";
import { useName } from "./name.js";
import { OfflineBar } from "./link_mark.js";
import { CONSOLE, callAddress, follow, go } from "./route.js";
import { Scrubber } from "./scrubber.js";
import { useNow } from "./ticking.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";
import { callerName, moment, phaseWord } from "./words.js";

const TOLD_MS = 6_000; // how long an answer to an act stays in sight

/**
 * @param {{callSid: string, at: number, visitor: import("../entrance.js").Visitor, onSheet: () => void, onSignedOut: () => void}} props
 */
export function CallPage({ callSid, at, visitor, onSheet, onSignedOut }) {
  const { call, live, timeline, head, link, error } = useCall(callSid, at);
  const [told, tell] = useTold();
  const me = useName(visitor.name || visitor.role, visitor.named);
  const now = useNow(1_000);
  const isLive = Boolean(live) && live.phase !== "ended";
  const mayAct = visitor.role !== "viewer";
  const toPosition = (/** @type {number} */ position) => go(callAddress(callSid, position), { replace: true });

  useEffect(() => {
    if (link.state === "signed out") onSignedOut();
  }, [link.state]);
  useEffect(() => {
    if (!live) return;
    const who = callerName({ ...live.parameters, from: live.from });
    document.title = `${who}, ${phaseWord(live.phase).toLowerCase()} · Stayline`;
  }, [live]);
  useKeys({
    "?": onSheet,
    Escape: () => (at ? toPosition(0) : go(CONSOLE)),
    "[": () => toPosition(Math.max((at || head) - 1, 1)),
    "]": () => at && toPosition(at + 1 >= head ? 0 : at + 1),
    l: () => toPosition(0),
    s: () => document.getElementById("act-say")?.focus(),
    n: () => document.getElementById("note")?.focus(),
  });

  if (!call) {
    return html`<main id="main" class="page">
      <a class="back small" href=${CONSOLE} onClick=${follow}>‹ All calls</a>
      ${error || link.state === "gone"
        ? html`<div class="empty stack"><h1>${link.state === "gone" ? "There is no such call." : "The call can't be shown."}</h1><p>${error}</p></div>`
        : html`<p class="empty" role="status">Fetching the call …</p>`}
    </main>`;
  }
  return html`<main id="main" class="page call-page" data-past=${at > 0}>
    <${CallHead} call=${call} timeline=${timeline} now=${now} link=${link} at=${at} mayExport=${mayAct} />
    <${DropVoice} timeline=${timeline} />
    <${OfflineBar} link=${link} what="the call" />
    ${link.state === "gone" && html`<p class="notice warn" role="status">This call was deleted. What you see is the last of it.</p>`}
    ${timeline && html`<${Timeline} timeline=${timeline} isLive=${isLive} atMs=${at ? moment(call.updated_at) : 0} onPosition=${toPosition} />`}
    <${Scrubber} call=${call} head=${head} at=${at} isLive=${isLive} />
    <div class="call-columns">
      <${Transcript} call=${call} timeline=${timeline} isLive=${isLive && !at} onPosition=${toPosition} />
      <div class="call-side">
        ${mayAct && live && html`<${Actions} call=${live} me=${me} now=${now} onTold=${tell} />`}
        <${Tools} call=${call} mayAct=${mayAct && !at} by=${me.by} onTold=${tell} />
        <${Fields} fields=${call.fields} />
        <${Notes} call=${call} mayAct=${mayAct && !at} onTold=${tell} />
        ${!mayAct && html`<p class="soft small">You may watch. Stepping in needs the role agent.</p>`}
      </div>
    </div>
    <p class="toast" role="status" data-shown=${Boolean(told || error)}>${told || error}</p>
  </main>`;
}

/** What the last act came to, for a while. @returns {[string, (text: string) => void]} */
function useTold() {
  const [told, setTold] = useState({ text: "" });
  useEffect(() => {
    if (!told.text) return undefined;
    const timer = setTimeout(() => setTold({ text: "" }), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  return [told.text, (text) => setTold({ text })];
}
