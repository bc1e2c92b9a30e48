// Server-sent events read by hand. A browser's own EventSource hides pings and status codes, so it can't
// tell a quiet call from a proxy that holds the stream back, nor a session that is over from a network
// that is away.

import { ROOT } from "../entrance.js";
import { problem } from "./http.js";
import { noteServerTime } from "./ticking.js";

const QUIET_MS_MAX = 7_000; // the server pings every 5 s, so a longer silence is a blocked stream; two of them, and the page asks instead

/** @typedef {{id: string, name: string, text: string}} Told */

/**
 * Reads a stream until it ends. Raises Problem for an answer that is no stream, and Error when it was
 * silent for too long or broke.
 * @param {string} path from ROOT on
 * @param {{lastId?: string, signal: AbortSignal, onOpen: () => void, onEvent: (told: Told) => void}} options
 * @returns {Promise<void>}
 */
export async function stream(path, { lastId, signal, onOpen, onEvent }) {
  const quiet = new AbortController();
  let timer = setTimeout(() => quiet.abort(), QUIET_MS_MAX);
  /** @type {Record<string, string>} */
  const headers = { accept: "text/event-stream" };
  if (lastId) headers["last-event-id"] = lastId;
  try {
    const answer = await fetch(ROOT + path, {
      headers,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.any([signal, quiet.signal]),
    });
    if (!answer.ok || !answer.body) throw await problem(answer);
    noteServerTime(answer.headers.get("date"));
    const parser = new Parser(onEvent);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    onOpen();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), QUIET_MS_MAX);
      parser.feed(value);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Cuts text into events, as the HTML standard (9.2.6) has it; comments and `retry` are passed over. */
export class Parser {
  /** @param {(told: Told) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    this.id = "";
    this.name = "";
    /** @type {string[]} */
    this.lines = [];
  }

  /** @param {string} text a piece of the stream, cut anywhere */
  feed(text) {
    // A lone CR at the end may be half of a CRLF: it waits for what follows.
    const whole = this.rest + text;
    const held = whole.endsWith("\r") ? 1 : 0;
    const lines = whole.slice(0, whole.length - held).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + (held ? "\r" : "");
    for (const line of lines) this.line(line);
  }

  /** @param {string} line */
  line(line) {
    if (line === "") return this.end();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "id") this.id = value;
    else if (field === "data") this.lines.push(value);
    return undefined;
  }

  end() {
    const told = { id: this.id, name: this.name || "message", text: this.lines.join("\n") };
    const isTold = this.lines.length > 0;
    this.name = "";
    this.lines = [];
    if (isTold) this.onEvent(told);
  }
}
