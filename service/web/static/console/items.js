// The timeline as a list of things with a time and words. The picture draws them, the table reads them
// out, so nothing is in the one that is not in the other. Pure.

import { causeWord, clock, lossWord, reasonWord, span, spaced, statusWord, whoWord } from "./words.js";

const KEYS_MS_MAX = 2_000; // between two keys of one number

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {"stream" | "gap" | "speech" | "key" | "tool" | "act" | "loss"} kind
 * @property {number} from
 * @property {number} to the same as `from` for a moment
 * @property {boolean} isOpen it still goes on
 * @property {string} title what it is, in a few words
 * @property {string} words everything about it
 * @property {number} position where to scrub to; 0 for none
 * @property {number} until for our speech, when the next line of ours begins; else Infinity
 * @property {import("./scale.js").Span[]} gaps for speech, when nobody could hear it; else none
 * @property {any} told what the server told of it
 */

/**
 * All things of a timeline, in order of time.
 * @param {any} timeline as `/api/calls/{call_sid}/timeline` tells it
 * @param {number} now where open things end
 * @returns {Item[]}
 */
export function items(timeline, now) {
  const begin = timeline.from_ms;
  const at = (/** @type {number} */ ms) => clock(ms - begin);
  const all = [
    ...timeline.streams.map((/** @type {any} */ one) => stream(one, now, at)),
    ...timeline.gaps.map((/** @type {any} */ one, /** @type {number} */ index) => gap(one, index, now)),
    ...timeline.speech.map((/** @type {any} */ one) => speech(one)),
    ...keyed(timeline.keys).map((one) => point("key", one, `Key ${one.digit}`, `The caller pressed ${one.digit.split("").join(" ")}.`)),
    ...timeline.tools.map((/** @type {any} */ one) => tool(one, now)),
    ...timeline.acts.map((/** @type {any} */ one) => act(one)),
    ...(timeline.incidents ?? []).map((/** @type {any} */ one) => point("loss", one, "Context lost", `${lossWord(one.kind)}.`)),
  ];
  all.sort((one, other) => one.from - other.from || one.id.localeCompare(other.id));
  const ours = all.filter((one) => one.kind === "speech" && one.told.who !== "caller");
  ours.forEach((one, index) => (one.until = ours[index + 1]?.from ?? Infinity));
  const gaps = all.filter((one) => one.kind === "gap");
  for (const one of all) if (one.kind === "speech") one.gaps = gaps;
  return all;
}

/**
 * @param {any} one
 * @param {number} now
 * @param {(ms: number) => string} at
 * @returns {Item}
 */
function stream(one, now, at) {
  const isOpen = one.to_ms === null;
  const to = one.to_ms ?? now;
  const end = isOpen ? "live" : `ended at ${at(to)}: ${reasonWord(one.reason)}`;
  const words = `On ${one.server || "an unnamed server"}. Began as ${causeWord(one.cause)}, ${end}. It lasted ${span(to - one.from_ms)}.`;
  return { ...thing("stream", `s${one.epoch}:${one.stream_sid}`, one, to), isOpen, title: `Stream ${one.epoch}`, words };
}

/**
 * @param {any} one
 * @param {number} index
 * @param {number} now
 * @returns {Item}
 */
function gap(one, index, now) {
  const isOpen = one.before_epoch === null;
  const to = isOpen ? now : one.to_ms;
  const length = isOpen ? to - one.from_ms : (one.gap_ms ?? to - one.from_ms);
  const parts = [one.reason ? `${capital(reasonWord(one.reason))}.` : ""];
  if (one.heard_ms) parts.push(`${span(one.heard_ms)} of it were heard all the same.`);
  if (one.playing?.rest) parts.push(`It cut us off before “${one.playing.rest.trim()}”.`);
  if (one.caller_was_speaking) parts.push("The caller was speaking.");
  if (one.restored?.length) parts.push(`Then: ${one.restored.join("; ")}.`);
  if (one.missed_by_caller) parts.push(`The caller never heard “${one.missed_by_caller.trim()}”.`);
  if (isOpen) parts.push("Waiting for the carrier to come back.");
  const title = `Gap of ${span(length)}, ${isOpen ? "still open" : causeWord(one.cause)}`;
  return { ...thing("gap", `g${index}`, one, to), isOpen, title, words: parts.filter(Boolean).join(" ") };
}

/** @param {any} one @returns {Item} */
function speech(one) {
  const isCaller = one.who === "caller";
  const rest = isCaller ? "" : unheard(one);
  const said = `“${one.text || "…"}”`;
  const words = rest ? `${said} ${one.cut ? "Not heard" : "Not heard yet"}: “${rest.trim()}”.` : said;
  return { ...thing("speech", `p${one.position}`, one, one.to_ms), isOpen: false, title: whoWord(one.who), words, position: one.position };
}

/**
 * What of a line was not heard.
 * @param {{text: string, heard: string}} line
 * @returns {string}
 */
export const unheard = ({ text, heard }) => (text.startsWith(heard ?? "") ? text.slice((heard ?? "").length) : "");

/**
 * @param {any} one
 * @param {number} now
 * @returns {Item}
 */
function tool(one, now) {
  const isOpen = one.to_ms === null;
  const to = one.to_ms ?? now;
  const words = `${capital(statusWord(one.status))}, ${span(to - one.from_ms)}.`;
  return { ...thing("tool", `t${one.id}`, one, to), isOpen, title: `Tool ${spaced(one.tool)}`, words };
}

/**
 * Rows of keys: what is pressed at one go is one thing.
 * @param {{position: number, at_ms: number, digit: string}[]} keys
 * @returns {{position: number, at_ms: number, digit: string}[]}
 */
export function keyed(keys) {
  /** @type {{position: number, at_ms: number, digit: string}[]} */
  const rows = [];
  let last = -Infinity;
  for (const key of keys) {
    const row = rows[rows.length - 1];
    if (row && key.at_ms - last < KEYS_MS_MAX) Object.assign(row, { digit: row.digit + key.digit, position: key.position });
    else rows.push({ ...key });
    last = key.at_ms;
  }
  return rows;
}

/** @param {any} one @returns {Item} */
function act(one) {
  const by = one.by ? ` by ${one.by}` : "";
  return point("act", one, `${capital(spaced(one.kind))}${by}`, one.text ?? "");
}

/**
 * @param {"key" | "act" | "loss"} kind
 * @param {any} one
 * @param {string} title
 * @param {string} words
 * @returns {Item}
 */
function point(kind, one, title, words) {
  const made = thing(kind, `${kind}${one.position}`, { from_ms: one.at_ms, ...one }, one.at_ms);
  return { ...made, isOpen: false, title, words, position: one.position };
}

/**
 * @param {Item["kind"]} kind
 * @param {string} id
 * @param {any} told
 * @param {number} to
 */
const thing = (kind, id, told, to) => ({ kind, id, from: told.from_ms, to: Math.max(to, told.from_ms), told, position: 0, until: Infinity, gaps: [] });

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
