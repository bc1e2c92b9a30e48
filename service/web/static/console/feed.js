// One call, live: its records by offset, and its state and timeline fetched when they changed.

import { useEffect, useState } from "../vendor/preact-htm.js";
import { callPath, Problem, read } from "./http.js";
import { Ledger } from "./ledger.js";
import { Link } from "./link.js";

const FETCH_MS_MIN = 250; // at most four states a second, however fast the records come
const POLL_WAIT_S = 25; // under the shortest idle timeout of a proxy
const POLL_MS_MIN = 500; // a server that doesn't wait is not asked more often

/**
 * @typedef {object} CallNow
 * @property {any} call the call's state: live, or as of a position; null before the first answer
 * @property {any} live the newest state; null before the first answer
 * @property {any} timeline the timeline of the whole call; null before the first answer
 * @property {number} head the last position that is known
 * @property {import("./link.js").LinkState} link
 * @property {string} error a sentence, or ""
 */

/** Follows one call until closed. */
export class CallFeed {
  /**
   * @param {string} callSid
   * @param {(change: Partial<CallNow>) => void} onChange
   */
  constructor(callSid, onChange) {
    this.callSid = callSid;
    this.onChange = onChange;
    this.ledger = new Ledger();
    this.over = new AbortController();
    this.at = 0;
    this.isFetching = false;
    this.isStale = false;
    this.fetchedAt = 0;
    this.link = new Link({
      streamPath: () => callPath(callSid, "/events"),
      lastId: () => this.ledger.offset,
      onEvent: (told) => this.take(told),
      poll: (signal) => this.poll(signal),
      onState: (link) => this.onChange({ link }),
    });
  }

  /** Reads the state, then everything after it. */
  async run() {
    while (!this.over.signal.aborted) {
      try {
        const call = await read(callPath(this.callSid), { signal: this.over.signal });
        this.ledger.begin(call.incarnation, call.position);
        break;
      } catch (trouble) {
        if (this.over.signal.aborted) return;
        this.onChange({ error: /** @type {Error} */ (trouble).message });
        if (trouble instanceof Problem && [401, 403, 404].includes(trouble.status)) {
          const state = trouble.status === 404 ? "gone" : "signed out";
          return this.onChange({ link: { state, since: Date.now(), way: "stream" } });
        }
        await this.link.pause(2_000);
      }
    }
    this.noteHead();
    this.refresh();
    await this.link.run();
  }

  close() {
    this.over.abort();
    this.link.close();
  }

  /** Shows the state as of a position, or the live one for 0. @param {number} at */
  show(at) {
    this.at = at;
    this.refresh();
  }

  /** @param {import("./sse.js").Told} told */
  take(told) {
    if (told.name === "reset") {
      this.ledger.reset(JSON.parse(told.text).incarnation);
    } else if (told.name === "record") {
      // The id says which journal it is of: after an outage it may be another one.
      const colon = told.id.lastIndexOf(":");
      const incarnation = told.id.slice(0, colon);
      if (incarnation !== this.ledger.incarnation) this.ledger.reset(incarnation);
      if (!this.ledger.accept(Number(told.id.slice(colon + 1)))) return;
    } else if (told.name === "gone") {
      this.link.tell("gone");
      this.close();
      return;
    } else {
      return;
    }
    this.noteHead();
    this.refresh();
  }

  /** @param {AbortSignal} signal */
  async poll(signal) {
    const began = Date.now();
    const after = encodeURIComponent(this.ledger.offset);
    // The first answer comes at once, so that the page knows that it is connected.
    const waitS = this.link.now.state === "live" ? POLL_WAIT_S : 0;
    const path = callPath(this.callSid, `/events?after=${after}&wait_s=${waitS}`);
    const told = await read(path, { signal, waitMs: (POLL_WAIT_S + 10) * 1000 });
    if (told.reset) this.ledger.reset(told.incarnation);
    for (const record of told.events) this.ledger.accept(record.position);
    this.noteHead();
    if (told.reset || told.events.length) this.refresh();
    const rest = POLL_MS_MIN - (Date.now() - began);
    if (rest > 0) await this.link.pause(rest);
  }

  noteHead() {
    this.ledger.publish(document.documentElement);
    this.onChange({ head: this.ledger.position });
  }

  /** Fetches state and timeline: never two at once, never more often than FETCH_MS_MIN. */
  async refresh() {
    this.isStale = true;
    if (this.isFetching) return;
    this.isFetching = true;
    while (this.isStale && !this.over.signal.aborted) {
      const rest = FETCH_MS_MIN - (Date.now() - this.fetchedAt);
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
      this.isStale = false;
      this.fetchedAt = Date.now();
      await this.fetchOnce();
    }
    this.isFetching = false;
  }

  async fetchOnce() {
    const { at } = this;
    const { signal } = this.over;
    const [live, timeline, past] = await Promise.allSettled([
      read(callPath(this.callSid), { signal }),
      read(callPath(this.callSid, "/timeline"), { signal }),
      at ? read(callPath(this.callSid, `?at=${at}`), { signal }) : null,
    ]);
    if (signal.aborted) return;
    const shown = at ? past : live;
    /** @type {Partial<CallNow>} */
    const change = { error: shown.status === "rejected" ? shown.reason.message : "" };
    if (live.status === "fulfilled") change.live = live.value;
    if (shown.status === "fulfilled" && at === this.at) change.call = shown.value;
    if (timeline.status === "fulfilled") change.timeline = timeline.value;
    this.onChange(change);
  }
}

/** @type {CallNow} */
const NOTHING = { call: null, live: null, timeline: null, head: 0, link: { state: "catching up", since: 0, way: "stream" }, error: "" };

/**
 * The call as it stands now, or stood at a position.
 * @param {string} callSid
 * @param {number} at a position, or 0 for live
 * @returns {CallNow}
 */
export function useCall(callSid, at) {
  const [now, setNow] = useState(NOTHING);
  const [feed, setFeed] = useState(/** @type {CallFeed | null} */ (null));
  useEffect(() => {
    setNow(NOTHING);
    const made = new CallFeed(callSid, (change) => setNow((/** @type {CallNow} */ old) => ({ ...old, ...change })));
    made.at = at;
    made.run();
    setFeed(made);
    return () => made.close();
  }, [callSid]);
  useEffect(() => feed?.show(at), [feed, at]);
  return now;
}
