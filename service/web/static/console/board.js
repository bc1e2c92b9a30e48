// All calls, live: one headline each. The server filters by words; phases are chips of the page.

import { useEffect, useState } from "../vendor/preact-htm.js";
import { read } from "./http.js";
import { Link } from "./link.js";

const POLL_MS = 2_000; // without streaming the board is asked for whole, so seldom
const QUERY_WAIT_MS = 250; // a person who types is let finish the word

/** @typedef {any} Headline one call as `/api/board` tells it */
/** @typedef {{calls: Headline[], link: import("./link.js").LinkState, isKnown: boolean, figures: import("./figures.js").Figures | null}} BoardNow */

/**
 * Folds one event into the calls that are known.
 * @param {Map<string, Headline>} calls
 * @param {string} name
 * @param {any} body
 * @returns {Map<string, Headline>}
 */
export function folded(calls, name, body) {
  if (name === "board") return new Map(body.calls.map((/** @type {Headline} */ one) => [one.call_sid, one]));
  const next = new Map(calls);
  if (name === "gone") next.delete(body.call_sid);
  if (name === "call") next.set(body.call_sid, body);
  return next;
}

/**
 * What needs eyes first: calls that go on before ended ones, then the newest.
 * @param {Headline} one
 * @param {Headline} other
 */
export function byUrgency(one, other) {
  const ended = Number(one.phase === "ended") - Number(other.phase === "ended");
  return ended || Date.parse(other.opened_at) - Date.parse(one.opened_at) || one.call_sid.localeCompare(other.call_sid);
}

/** Follows the board until closed. */
class BoardFeed {
  /**
   * @param {string} query
   * @param {(change: Partial<BoardNow>) => void} onChange
   */
  constructor(query, onChange) {
    /** @type {Map<string, Headline>} */
    this.calls = new Map();
    this.onChange = onChange;
    const path = query ? `/api/board?q=${encodeURIComponent(query)}` : "/api/board";
    this.link = new Link({
      streamPath: () => path,
      onEvent: (told) => this.take(told.name, JSON.parse(told.text)),
      poll: async (signal) => {
        this.take("board", await read(path, { signal }));
        await this.link.pause(POLL_MS);
      },
      onState: (link) => onChange({ link }),
    });
  }

  /**
   * @param {string} name
   * @param {any} body
   */
  take(name, body) {
    if (name === "figures") this.onChange({ figures: body });
    if (!["board", "call", "gone"].includes(name)) return;
    this.calls = folded(this.calls, name, body);
    this.onChange({ calls: [...this.calls.values()].sort(byUrgency), isKnown: true });
  }
}

/** @type {BoardNow} */
const NOTHING = { calls: [], isKnown: false, figures: null, link: { state: "catching up", since: 0, way: "stream" } };

/**
 * The board as it stands.
 * @param {string} query words that a call must hold; "" for all
 * @returns {BoardNow}
 */
export function useBoard(query) {
  const [now, setNow] = useState(NOTHING);
  useEffect(() => {
    /** @type {BoardFeed | null} */
    let feed = null;
    const begin = () => {
      feed = new BoardFeed(query, (change) => setNow((/** @type {BoardNow} */ old) => ({ ...old, ...change })));
      feed.link.run();
    };
    const timer = setTimeout(begin, query ? QUERY_WAIT_MS : 0);
    return () => {
      clearTimeout(timer);
      feed?.link.close();
    };
  }, [query]);
  return now;
}
