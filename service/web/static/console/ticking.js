// The time, for views that show how long something lasts.

import { useEffect, useState } from "../vendor/preact-htm.js";

const SKEW_MS_MIN = 2_000; // the Date header has whole seconds; less than this is no skew

let skewMs = 0;

/** Learns how the server's clock differs from this one. @param {string | null} date as its header says it */
export function noteServerTime(date) {
  const told = Date.parse(date ?? "");
  if (Number.isNaN(told)) return;
  const found = told - Date.now();
  skewMs = Math.abs(found) < SKEW_MS_MIN ? 0 : found;
}

/** The server's time, in milliseconds since the epoch. @returns {number} */
export const serverNow = () => Date.now() + skewMs;

/**
 * The server's time, kept up to date.
 * @param {number} everyMs how often; 0 stands still
 * @returns {number} milliseconds since the epoch
 */
export function useNow(everyMs) {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (!everyMs) return undefined;
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/**
 * The width of an element, kept up to date.
 * @param {{current: Element | null}} box
 * @param {number} first what to go by before it is known
 * @returns {number} CSS pixels
 */
export function useWidth(box, first) {
  const [width, setWidth] = useState(first);
  useEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return width;
}
