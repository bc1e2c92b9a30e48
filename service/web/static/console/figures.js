// The service's figures: what fires now, and one point every ten seconds for the charts. They are read
// once; from then on the board's stream brings each new point, and asking again is for who has no stream.

import { useEffect, useState } from "../vendor/preact-htm.js";
import { read } from "./http.js";

const CHARTED_MINUTES = 60;
const WARNED_MINUTES = 1; // without charts only what fires is of interest
const EVERY_MS = 10_000; // a point of the server's
const POINTS_MAX = (CHARTED_MINUTES * 60_000) / EVERY_MS;

/** One step of ten seconds, as `/api/figures` tells it. @typedef {{at_ms: number, live: number, opened: number, survived: number, lost: number, returns: Record<string, number>, resume_ms: Spread, gap_ms: Spread}} Point */
/** @typedef {{count: number, p50: number, p95: number}} Spread */
/** @typedef {{server: string, alerts: any[], points: Point[]}} Figures */

/**
 * Joins what is known with what comes. Two servers count apart: their points are never mixed.
 * @param {Figures} known
 * @param {Figures} told
 * @returns {Figures}
 */
export function joined(known, told) {
  if (known.server !== told.server) return told;
  const last = known.points.at(-1)?.at_ms ?? 0;
  const fresh = told.points.filter((point) => point.at_ms > last);
  return { ...told, points: [...known.points, ...fresh].slice(-POINTS_MAX) };
}

/**
 * The figures; the last good ones stay while the server is away.
 * @param {boolean} isCharted whether the last hour is wanted, and not only what fires
 * @param {Figures | null} told what the board's stream brought last
 * @param {boolean} isStreaming whether it goes on bringing them
 * @returns {Figures}
 */
export function useFigures(isCharted, told, isStreaming) {
  const [figures, setFigures] = useState(/** @type {Figures} */ ({ server: "", alerts: [], points: [] }));
  useEffect(() => {
    const over = new AbortController();
    const look = () => {
      // A page that nobody sees asks nothing; it looks at once when it is seen again.
      if (document.hidden) return;
      const minutes = isCharted ? CHARTED_MINUTES : WARNED_MINUTES;
      read(`/api/figures?minutes=${minutes}`, { signal: over.signal }).then(setFigures, () => {});
    };
    look();
    const timer = isStreaming ? 0 : setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      over.abort();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [isCharted, isStreaming]);
  useEffect(() => {
    if (told) setFigures((/** @type {Figures} */ known) => joined(known, told));
  }, [told]);
  return figures;
}
