/**
 * What is watched while a call is held: the clock, the page's coming and going, and the network.
 *
 * The times that it notes tell a page that comes back how long it was away. They are written down
 * every two seconds, because a tab that crashes says no goodbye.
 */

import { watchNetwork } from "./tab.js";

const ALIVE_MS = 2_000; // The error of "how long away" after a crash.
const KEEP_MS = 45_000; // The recovery token is renewed this often; the server allows every 30 s.

/** Watches from `begin` to `end`. */
export class Vigil {
  /**
   * @param {{note: (times: object) => void, renew: () => void, lost: (why: string) => void,
   *          online: () => void}} listener
   */
  constructor(listener) {
    this._listener = listener;
    this._stop = null;
  }

  /** Begin, unless it has begun. */
  begin() {
    if (this._stop !== null) return;
    const { note, renew, lost, online } = this._listener;
    const ending = new AbortController();
    const { signal } = ending;
    window.addEventListener("pagehide", () => note({ left_at: Date.now() }), { signal });
    window.addEventListener("pageshow", () => note({ left_at: null }), { signal });
    const alive = setInterval(() => note({}), ALIVE_MS);
    const keep = setInterval(renew, KEEP_MS);
    const unwatch = watchNetwork({
      online,
      offline: () => lost("offline"),
      changed: () => lost("another network"),
    });
    this._stop = () => {
      ending.abort();
      clearInterval(alive);
      clearInterval(keep);
      unwatch();
    };
  }

  /** End; nothing is noted any more. */
  end() {
    this._stop?.();
    this._stop = null;
  }
}
