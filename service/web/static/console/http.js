// Asking the API of calls, with a limit on how long; errors carry the server's own sentence.

import { ask, Problem } from "../entrance.js";

const WAIT_MS_MAX = 20_000; // an answer that takes longer is none; whoever asked says so

export { Problem };

/**
 * Reads a path.
 * @param {string} path
 * @param {{signal?: AbortSignal, waitMs?: number}} [options]
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export function read(path, { signal, waitMs = WAIT_MS_MAX } = {}) {
  const limit = AbortSignal.timeout(waitMs);
  return ask(path, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
}

/**
 * Sends a change.
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the answer, null where it has no body
 * @throws {Problem}
 */
export const send = (path, body = {}) =>
  ask(path, { method: "POST", body, signal: AbortSignal.timeout(WAIT_MS_MAX) });

/** The path of one call in the API, from ROOT on. @param {string} callSid @param {string} [rest] */
export const callPath = (callSid, rest = "") => `/api/calls/${encodeURIComponent(callSid)}${rest}`;

/** The sentence for people in an answer that is none. @param {Response} answer @returns {Promise<Problem>} */
export async function problem(answer) {
  try {
    const told = await answer.json();
    return new Problem(answer.status, told.detail || told.title, told);
  } catch {
    // No problem document: the status alone has to do.
    return new Problem(answer.status, `The server answered ${answer.status}.`);
  }
}
