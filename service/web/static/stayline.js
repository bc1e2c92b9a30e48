/**
 * Stayline in a web page: a call to the agent that survives reloads, networks and server restarts.
 *
 *     import { openSession, restorePersistedCall } from "https://YOUR-HOST/static/stayline.js";
 *
 *     const session = (await restorePersistedCall()) ?? openSession({ parameters: { company: "Acme" } });
 *     session.addEventListener("state", ({ detail }) => console.log(detail.state, detail.words));
 *
 * States:
 *
 *     idle ──> opening ──> live ──> reconnecting ──> restoring ──> live …   ──> ended | expired | refused
 *
 *     idle          a kept call is on offer: `reconnectCall()` goes on with it
 *     opening       the microphone is asked for, the call is opened
 *     live          both sides hear each other
 *     reconnecting  the stream is lost; we ask the server again and again
 *     restoring     the server said yes; sound comes back in a moment
 *     ended, expired, refused   for good; open another session
 *
 * Events: "state" {state, reason, words}, "level" {who: "caller" | "ours", level: 0..1}, "message"
 * (each message of the server, sound included), "sound" (first sound of a stream), "error" {words}.
 * Call `openSession` and `reconnectCall` inside a click or a key: browsers let a page sound only then.
 */

import { Door } from "./phone/door.js";
import { Lifeline } from "./phone/lifeline.js";
import { Memory } from "./phone/memory.js";
import { hold } from "./phone/tab.js";

/**
 * @typedef {{
 *   server?: string | URL,
 *   parameters?: Record<string, string>,
 *   open?: (parameters: Record<string, string>) => Promise<import("./phone/door.js").Answer>,
 *   reconnect?: {delaysMs?: number[], jitter?: number, codes?: number[]},
 *   storage?: {tab?: Storage, visitor?: Storage},
 * }} Options
 * server: address of the service, with its path if it has one, by default the page's own origin; another
 * one must list this page's origin in PHONE_ORIGINS. parameters: client_name, company, ticket_id.
 * open: opens the call in place of POST /api/phone/calls, for a page whose own server holds the key.
 */

/** One call. Made by `openSession` and `restorePersistedCall`. */
export class Session extends EventTarget {
  /**
   * @param {Options} options
   * @param {import("./phone/memory.js").Kept | null} kept
   */
  constructor(options, kept) {
    super();
    this._state = "idle";
    this._reason = kept === null ? "new" : "offered";
    const server = new URL(options.server ?? location.origin, location.href);
    this._lifeline = new Lifeline(options, kept, new Door(server), {
      state: (state, reason, words) => this._become(state, reason, words),
      tell: (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail })),
    });
  }

  /** idle, opening, live, reconnecting, restoring, expired, ended or refused. */
  get state() {
    return this._state;
  }

  /** Why it is in that state: one word for programs. */
  get reason() {
    return this._reason;
  }

  /** The call's name at the server, or null before it is open. */
  get callSid() {
    return this._lifeline.callSid;
  }

  /** Whether the microphone is off. */
  get isMuted() {
    return this._lifeline.isMuted;
  }

  /** Digits that wait for the stream to come back. */
  get waitingDigits() {
    return this._lifeline.waitingDigits;
  }

  /** How long ago this page, or the one before it, was last there with this call, in ms. */
  get awayMs() {
    return this._lifeline.awayMs;
  }

  /** Go on with a call that is on offer, or try at once instead of waiting for the next try. */
  reconnectCall() {
    return this._lifeline.comeBack();
  }

  /** End the call, for both sides. */
  hangUp() {
    return this._lifeline.hangUp();
  }

  /**
   * Press a key. While the stream is away it waits, up to 32 of them.
   * @param {string} digit one of 0-9, * and #
   * @returns {boolean} false when it is no such key, or the call is over
   */
  sendDigit(digit) {
    return this._lifeline.sendDigit(digit);
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this._lifeline.mute(isMuted);
  }

  /** Let the page sound; for the click that `state` "restoring" with reason "gesture" asks for. */
  allowSound() {
    return this._lifeline.allowSound();
  }

  _become(state, reason, words) {
    if (state === this._state && reason === this._reason) return;
    const previous = this._state;
    this._state = state;
    this._reason = reason;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, previous, reason, words } }));
  }
}

/**
 * Open a call. The session is returned at once, in state "opening".
 * @param {Options} options
 * @returns {Session}
 */
export function openSession(options = {}) {
  const session = new Session(options, null);
  void session._lifeline.open();
  return session;
}

/**
 * Find the call that this tab was in before its page went.
 *
 * Within `windows.reload_s` of that it goes on by itself; later, but within `windows.resume_s` of the
 * last thing that was done, it is on offer (state "idle", `reconnectCall()` accepts); later still its
 * state is "expired". A duplicated tab has no call of its own.
 * @param {Options} options
 * @returns {Promise<Session | null>} null when there is none
 */
export async function restorePersistedCall(options = {}) {
  const memory = new Memory(options.storage?.tab, options.storage?.visitor);
  const kept = memory.call();
  if (kept === null) return null;
  const release = await hold(kept.call_sid);
  if (release === null) {
    memory.forget();
    return null;
  }
  const session = new Session(options, kept);
  session._lifeline.restore(release);
  return session;
}
