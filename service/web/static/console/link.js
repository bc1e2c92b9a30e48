// A lasting connection: a stream as long as streams get through, else asking again and again. It never
// gives up by itself, says how it stands, and goes on from where it was.

import { Problem } from "./http.js";
import { stream } from "./sse.js";

const WAITS_MS = [250, 1_000, 2_000, 4_000, 8_000]; // soon at first; never more than 8 s behind a server that is back
const STREAM_ERRORS_MAX = 2; // in a row; then streaming counts as blocked
const POLLS_BETWEEN_STREAMS = 20; // then streaming is tried again: the network may be another one
const OFFLINE_AFTER_MS = 3_000; // a reconnect that takes less is not worth a word

/** @typedef {{state: "catching up" | "live" | "offline" | "signed out" | "gone", since: number, way: "stream" | "poll"}} LinkState */

/**
 * What a link asks for, and what it does with what comes.
 * @typedef {object} Source
 * @property {() => string} streamPath
 * @property {() => string} [lastId]
 * @property {(told: import("./sse.js").Told) => void} onEvent
 * @property {(signal: AbortSignal) => Promise<void>} poll asks once, waiting as long as is polite
 * @property {(state: LinkState) => void} onState
 */

/** Keeps one source connected until it is closed. */
export class Link {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    this.over = new AbortController();
    this.errors = 0;
    this.polls = 0;
    this.isPolling = false;
    this.lastWell = Date.now();
    /** @type {LinkState} */
    this.now = { state: "catching up", since: Date.now(), way: "stream" };
    this.wake = () => {};
    this.again = () => this.wake();
    addEventListener("online", this.again);
  }

  /** Connects, and stays connected. Returns when closed, signed out, or when the source is gone. */
  async run() {
    while (!this.over.signal.aborted) {
      try {
        await (this.isPolling ? this.pollOnce() : this.streamOnce());
      } catch (trouble) {
        if (this.over.signal.aborted) return;
        if (trouble instanceof Problem && [401, 403].includes(trouble.status)) return this.tell("signed out");
        if (trouble instanceof Problem && trouble.status === 404) return this.tell("gone");
        await this.stumble();
      }
    }
  }

  /** Ends the connection; nothing comes any more. */
  close() {
    this.over.abort();
    removeEventListener("online", this.again);
    this.wake();
  }

  async streamOnce() {
    const began = Date.now();
    let heard = false;
    await stream(this.source.streamPath(), {
      lastId: this.source.lastId?.(),
      signal: this.over.signal,
      onOpen: () => this.tell("live"),
      onEvent: (told) => {
        heard = true;
        this.errors = 0;
        this.lastWell = Date.now();
        this.tell("live");
        this.source.onEvent(told);
      },
    });
    // The server ended it, as it may. One that ends at once and told nothing would spin.
    this.lastWell = Date.now();
    if (!heard && Date.now() - began < WAITS_MS[1]) throw new Error("an empty stream");
  }

  async pollOnce() {
    await this.source.poll(this.over.signal);
    this.errors = 0;
    this.lastWell = Date.now();
    this.tell("live");
    this.polls += 1;
    if (this.polls >= POLLS_BETWEEN_STREAMS) {
      this.polls = 0;
      this.isPolling = false;
    }
  }

  async stumble() {
    this.errors += 1;
    if (this.errors >= STREAM_ERRORS_MAX) this.isPolling = true;
    this.tell(Date.now() - this.lastWell > OFFLINE_AFTER_MS || !navigator.onLine ? "offline" : "catching up");
    const wait = WAITS_MS[Math.min(this.errors - 1, WAITS_MS.length - 1)];
    // Each waits a little otherwise, so that a hundred pages don't come back in one instant.
    await this.pause(wait * (0.75 + Math.random() / 2));
  }

  /** @param {number} ms */
  pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }

  /** @param {LinkState["state"]} state */
  tell(state) {
    const way = this.isPolling ? "poll" : "stream";
    if (this.now.state === state && this.now.way === way) return;
    const since = this.now.state === state ? this.now.since : state === "offline" ? this.lastWell : Date.now();
    this.now = { state, since, way };
    this.source.onState(this.now);
  }
}
