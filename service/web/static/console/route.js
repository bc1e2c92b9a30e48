// Where the reader is: the list, or one call, at a position or live. The address says it all, so every
// view can be linked to.

import { ROOT } from "../entrance.js";
import { useEffect, useState } from "../vendor/preact-htm.js";

/** @typedef {{view: "list" | "call", callSid: string, at: number}} Route `at` is 0 for live */

const ONE_CALL = /^\/calls\/([A-Za-z0-9]{4,64})\/?$/;
/** The address of the list. */
export const CONSOLE = `${ROOT}/console`;

const MOVED = "stayline:moved";

/**
 * Reads an address.
 * @param {{pathname: string, hash: string}} address
 * @returns {Route}
 */
export function parse({ pathname, hash }) {
  const found = pathname.startsWith(CONSOLE) ? ONE_CALL.exec(pathname.slice(CONSOLE.length)) : null;
  const at = /^#p=([0-9]{1,9})$/.exec(hash);
  return { view: found ? "call" : "list", callSid: found ? found[1] : "", at: found && at ? Number(at[1]) : 0 };
}

/** The address of a call, at a position or live. @param {string} callSid @param {number} [at] */
export const callAddress = (callSid, at = 0) => `${CONSOLE}/calls/${encodeURIComponent(callSid)}${at ? `#p=${at}` : ""}`;

/**
 * Goes to an address of the console.
 * @param {string} address
 * @param {{replace?: boolean}} [options] `replace` leaves no step back, as for every notch of a slider
 */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  dispatchEvent(new Event(MOVED));
}

/** The present route, kept up to date. @returns {Route} */
export function useRoute() {
  const [route, setRoute] = useState(() => parse(location));
  useEffect(() => {
    const look = () => setRoute(parse(location));
    for (const name of [MOVED, "popstate", "hashchange"]) addEventListener(name, look);
    return () => {
      for (const name of [MOVED, "popstate", "hashchange"]) removeEventListener(name, look);
    };
  }, []);
  return route;
}

/**
 * Lets a plain click on a link of ours stay in the page; all other clicks are the browser's.
 * @param {MouseEvent} event
 */
export function follow(event) {
  const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.getAttribute("href") ?? CONSOLE);
}
