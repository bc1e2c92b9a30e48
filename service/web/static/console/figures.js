// The service's figures: what fires now, and one point every ten seconds for the charts.

import { useEffect, useState } from "../vendor/preact-htm.js";
import { read } from "./http.js";

const CHARTED_MINUTES = 60;
const WARNED_MINUTES = 1; // without charts only what fires is of interest
const EVERY_MS = 10_000; // a point of the server's

/** One step of ten seconds, as `/api/figures` tells it. @typedef {{at_ms: number, live: number, opened: number, returns: Record<string, number>, resume_ms: Spread, gap_ms: Spread}} Point */
/** @typedef {{count: number, p50: number, p95: number}} Spread */
/** @typedef {{alerts: any[], points: Point[]}} Figures */

/**
 * The figures, read again and again; the last good ones stay while the server is away.
 * @param {boolean} isCharted whether the last hour is wanted, and not only what fires
 * @returns {Figures}
 */
export function useFigures(isCharted) {
  const [figures, setFigures] = useState(/** @type {Figures} */ ({ alerts: [], points: [] }));
  useEffect(() => {
    const over = new AbortController();
    const look = () => {
      // A page that nobody sees asks nothing; it looks at once when it is seen again.
      if (document.hidden) return;
      const minutes = isCharted ? CHARTED_MINUTES : WARNED_MINUTES;
      read(`/api/figures?minutes=${minutes}`, { signal: over.signal }).then(setFigures, () => {});
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      over.abort();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [isCharted]);
  return figures;
}
