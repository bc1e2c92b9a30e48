// How the connection to the server stands, in words; and, once, aloud when it is lost.

import { html } from "../vendor/preact-htm.js";
import { ago, timeOfDay } from "./words.js";

/** @type {Record<string, {word: string, tone: string, mark: string}>} */
const STATES = {
  live: { word: "live", tone: "good", mark: "●" },
  "catching up": { word: "catching up", tone: "", mark: "◌" },
  offline: { word: "offline", tone: "warn", mark: "✕" },
  "signed out": { word: "signed out", tone: "warn", mark: "✕" },
  gone: { word: "no such call", tone: "warn", mark: "✕" },
};

/**
 * A mark and its words.
 * @param {{link: import("./link.js").LinkState, now: number}} props
 *   `now` is the time, for how long it has been so
 */
export function LinkMark({ link, now }) {
  const { word, tone, mark } = STATES[link.state];
  const since = link.state === "offline" ? ` since ${timeOfDay(link.since)}, ${ago(now - link.since)}` : "";
  const way = link.state === "live" && link.way === "poll" ? " (asking every few seconds)" : "";
  return html`<span class="badge link-mark ${tone}" data-link=${link.state} data-way=${link.way}
    title=${link.way === "poll" ? "Streaming is blocked on the way here, so the page asks instead." : undefined}>
    <span aria-hidden="true">${mark}</span>
    <span role="status">${word}</span>${since}${way}
  </span>`;
}

/**
 * One line across the page while what it shows may be old.
 * @param {{link: import("./link.js").LinkState, what: string}} props
 */
export function OfflineBar({ link, what }) {
  if (link.state !== "offline") return null;
  return html`<p class="notice warn offline-bar" role="status">
    The server can't be reached. This is ${what} as of ${timeOfDay(link.since)}; it goes on by itself, and nothing is skipped.
  </p>`;
}
