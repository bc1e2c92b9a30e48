/**
 * The server's door for calls from a browser: open a call, come back to it, keep it, hang up.
 *
 * Every answer is one of four values, and nothing here throws:
 *
 *     {kind: "let_in", ticket}   go on: the ticket opens a socket, once
 *     {kind: "over", reason}     the call is over: "ended", "window", or "recovery" when our token is
 *                                good no longer
 *     {kind: "refused", reason}  asking again will not help: "sign_in", "forbidden", "off", "refused"
 *     {kind: "later", wait_ms}   nobody answered, or the server is busy: ask again
 */

import { hex } from "./wire.js";

const ANSWER_MS_MAX = 4_000; // A server that takes longer is as good as away; asking again is safe.
const WAIT_MS_MAX = 30_000; // No server may send us away for longer than this.

const REFUSALS = { 401: "sign_in", 403: "forbidden", 404: "off" };

/**
 * @typedef {{call_sid: string, recovery: string, stream_url: string, stream_token: string,
 *            windows: {reload_s: number, resume_s: number}}} Ticket
 * @typedef {{kind: "let_in", ticket: Ticket} | {kind: "over", reason: string}
 *           | {kind: "refused", reason: string, words?: string}
 *           | {kind: "later", reason: "busy", wait_ms: number}} Answer
 */

/** The routes under /api/phone/calls of one server. */
export class Door {
  /** @param {URL} server its address, with the path that it is mounted at */
  constructor(server) {
    this._calls = new URL(`${server.pathname.replace(/\/+$/, "")}/api/phone/calls`, server);
    this._is_own = server.origin === location.origin;
  }

  /**
   * Open a call.
   * @param {Record<string, string>} parameters client_name, company, ticket_id, each up to 480 letters
   * @returns {Promise<Answer>}
   */
  open(parameters) {
    return this._ask("", parameters);
  }

  /**
   * Ask, before any socket is opened, whether the call still lives. Asking twice with the same
   * attempt is safe, so an answer that was lost costs nothing.
   * @param {string} callSid
   * @param {string} recovery
   * @param {string} attempt
   * @returns {Promise<Answer>}
   */
  resume(callSid, recovery, attempt) {
    return this._ask(`/${callSid}/resume`, { recovery, attempt });
  }

  /**
   * Change the recovery token for a fresh one.
   * @param {string} callSid
   * @param {string} recovery
   * @returns {Promise<Answer>}
   */
  keep(callSid, recovery) {
    return this._ask(`/${callSid}/keep`, { recovery });
  }

  /**
   * End the call; goes out even while the page goes away.
   * @param {string} callSid
   * @param {string} recovery
   * @returns {Promise<Answer>}
   */
  hangUp(callSid, recovery) {
    return this._ask(`/${callSid}/hangup`, { recovery }, true);
  }

  async _ask(path, told, keepalive = false) {
    let answer;
    let body;
    try {
      answer = await fetch(`${this._calls.href}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Stayline": "1" },
        credentials: this._is_own ? "same-origin" : "omit",
        cache: "no-store",
        body: JSON.stringify(told),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
        keepalive,
      });
      body = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    } catch {
      return { kind: "later", reason: "busy", wait_ms: 0 };
    }
    return judged(answer, body);
  }
}

/**
 * A name for one use of a recovery token.
 * @returns {string}
 */
export function newAttempt() {
  return hex(12);
}

function judged(answer, body) {
  if (answer.ok) return { kind: "let_in", ticket: body };
  if (body.reason === "recovery") return { kind: "over", reason: "recovery" };
  if (answer.status === 410) return { kind: "over", reason: body.reason ?? "ended" };
  if (answer.status === 429 || answer.status >= 500) {
    const asked_ms = Number(answer.headers.get("Retry-After") ?? 0) * 1000 || 0;
    return { kind: "later", reason: "busy", wait_ms: Math.min(asked_ms, WAIT_MS_MAX) };
  }
  const reason = REFUSALS[answer.status] ?? "refused";
  return { kind: "refused", reason, words: reason === "refused" ? body.detail : undefined };
}
