/**
 * One call's life in this page: the parts put together, and what follows from what.
 *
 *     open:     sound ──> door.open ──> wire ──> live
 *     lost:     (a close code, the network, a reload) ──> door.resume, again and again ──> wire ──> live
 *     over:     4000, hang-up, 410 of the pre-flight, or the window has passed
 *
 * Rules. 1. No socket is opened before the server said that the conversation lives. 2. The next
 * recovery token is stored before it is needed, and a try has one name however often it is made, so
 * an answer that was lost locks nobody out. 3. What was not played when a stream ends is thrown away:
 * the server knows what was heard and goes on from there. 4. Only a person's act moves `acted_at`.
 */

import { newAttempt } from "./door.js";
import { Memory, chosen } from "./memory.js";
import { ENDED, Retry } from "./retry.js";
import { NoSound, Sound } from "./sound.js";
import { hold } from "./tab.js";
import { Vigil } from "./vigil.js";
import { Wire } from "./wire.js";
import { WORDS } from "./words.js";

const SETTLED_MS = 400; // A stream that the server refuses is closed sooner than this.
const STEADY_MS = 5_000; // A stream that stood so long was no failed try.
const WAITING_DIGITS_MAX = 32; // More than any number or code that somebody types ahead.
const TICKET_MS_MAX = 8_000; // A ticket that waited longer for a touch is changed for a fresh one.
const OFFLINE_MS = 15_000; // How often we look for ourselves, should the browser forget to tell.
const RELUCTANT_MAX = 3; // So often in a row a stream may be closed by a code that means "don't".
const DIGIT = /^[0-9*#]$/;
const OVER = new Set(["ended", "expired", "refused"]);

/** The call behind a Session. */
export class Lifeline {
  /**
   * @param {import("../stayline.js").Options} options
   * @param {import("./memory.js").Kept | null} kept
   * @param {import("./door.js").Door} door
   * @param {{state: (state: string, reason: string, words: string) => void,
   *          tell: (type: string, detail: object) => void}} listener
   */
  constructor(options, kept, door, listener) {
    this._options = options;
    this._kept = kept;
    this._door = door;
    this._listener = listener;
    this._memory = new Memory(options.storage?.tab, options.storage?.visitor);
    this._retry = new Retry(options.reconnect);
    this._state = "idle";
    this._wire = null;
    this._run = 0; // raised whenever an older course of coming back must stop
    this._reluctant = 0;
    this._vigil = new Vigil({
      note: (times) => this._note(times),
      renew: () => void this._renew(),
      lost: (why) => this._wire?.drop(why),
      online: () => {
        this._retry.reset();
        this._retry.now();
      },
    });
    this.isMuted = false;
    this.waitingDigits = "";
    this._sound = new Sound({
      frame: (bytes, index) => this._wire?.media(bytes, index),
      heard: (names) => names.forEach((name) => this._wire?.echo(name)),
      sounded: () => listener.tell("sound", {}),
      level: (who, level) => listener.tell("level", { who, level }),
      trouble: (words) => listener.tell("error", { words }),
    });
  }

  get callSid() {
    return this._kept?.call_sid ?? null;
  }

  get awayMs() {
    return Date.now() - (this._kept?.left_at ?? this._kept?.alive_at ?? Date.now());
  }

  /** Open the call: the microphone first, because without it there is none. */
  async open() {
    this._become("opening", "new");
    const parameters = chosen(this._options.parameters ?? {});
    this._memory.know(parameters);
    if (!(await this._openSound())) return;
    const open = this._options.open ?? ((told) => this._door.open(told));
    const answer = await open(parameters);
    if (answer.kind !== "let_in") return this._refuse(answer);
    const { call_sid, recovery } = answer.ticket;
    if (this._state !== "opening") return void this._door.hangUp(call_sid, recovery);
    const now = Date.now();
    const times = { alive_at: now, live_at: now, left_at: null, acted_at: now };
    this._kept = { call_sid, recovery: "", attempt: null, parameters, windows: null, ...times };
    this._release = await hold(call_sid);
    this._vigil.begin();
    this._dial(answer.ticket);
  }

  /**
   * Take up a kept call, as long ago as it was.
   * @param {() => void} release lets go of the tab's lock
   */
  restore(release) {
    this._release = release;
    if (this._hasPassed()) this._over("expired", "window");
    else if (this.awayMs <= this._kept.windows.reload_s * 1000) void this._comeBack("restoring", "reload");
    else this._become("idle", "offered");
  }

  /** Come back now, whatever we were waiting for. */
  comeBack() {
    if (OVER.has(this._state) || this._kept === null || this._state === "live") return;
    if (this._state === "idle") void this._comeBack("restoring", "offered");
    else this._retry.now();
  }

  /** End the call for both sides. */
  async hangUp() {
    if (OVER.has(this._state)) return;
    const kept = this._kept;
    this._wire?.stop();
    this._over("ended", "hung_up");
    if (kept !== null) await this._door.hangUp(kept.call_sid, kept.recovery);
  }

  /** See Session.sendDigit. */
  sendDigit(digit) {
    if (!DIGIT.test(digit) || OVER.has(this._state)) return false;
    this._act();
    if (this._state === "live") this._wire.dtmf(digit);
    else if (this.waitingDigits.length >= WAITING_DIGITS_MAX) return false;
    else this.waitingDigits += digit;
    return true;
  }

  /** See Session.mute. */
  mute(isMuted) {
    this.isMuted = isMuted;
    this._sound.mute(isMuted);
    this._act();
  }

  /** See Session.allowSound. */
  allowSound() {
    return this._sound.resume();
  }

  /** Ask and dial until it stands, the call is over, or a later course takes this one's place. */
  async _comeBack(state, reason) {
    this._run += 1;
    const run = this._run;
    this._wire = null;
    this._vigil.begin();
    this._become(state, reason);
    const sounding = this._openSound();
    let waitMs = 0;
    for (;;) {
      await this._retry.wait(waitMs);
      if (run !== this._run) return;
      if (this._hasPassed()) return this._over("expired", "window");
      waitMs = OFFLINE_MS;
      if (!navigator.onLine) continue;
      const asked = Date.now();
      const answer = await this._ask();
      if (run !== this._run) return;
      waitMs = answer.wait_ms ?? 0;
      if (answer.kind === "let_in") this._keep(answer.ticket);
      else if (answer.kind !== "later") return this._refuse(answer);
      else continue;
      if (!(await sounding) || run !== this._run) return;
      if (Date.now() - asked < TICKET_MS_MAX) return this._dial(answer.ticket);
    }
  }

  /** The pre-flight: one name for as many tries as the token lives. */
  _ask() {
    this._kept.attempt ??= newAttempt();
    this._memory.keep(this._kept);
    return this._door.resume(this._kept.call_sid, this._kept.recovery, this._kept.attempt);
  }

  _keep({ recovery, windows }) {
    Object.assign(this._kept, { recovery, attempt: null }, windows && { windows });
    this._memory.keep(this._kept);
  }

  _dial(ticket) {
    this._keep(ticket);
    if (this._state !== "opening") this._become("restoring", "accepted");
    const url = new URL(ticket.stream_url, this._options.server ?? location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const { call_sid: callSid, parameters } = this._kept;
    this._sound.fresh();
    this._wire = new Wire(
      { url: url.href, token: ticket.stream_token, callSid, parameters },
      {
        opened: () => this._after(SETTLED_MS, () => this._live()),
        told: (message) => this._told(message),
        closed: (code, why) => this._closed(code, why),
      },
    );
  }

  _told(message) {
    this._live();
    this._listener.tell("message", message);
    this._sound.play(message);
  }

  _live() {
    if (this._state === "live") return;
    this._become("live", "dialled");
    for (const digit of this.waitingDigits) this._wire.dtmf(digit);
    this.waitingDigits = "";
    this._after(STEADY_MS, () => {
      this._retry.reset();
      this._reluctant = 0;
    });
  }

  _closed(code, why) {
    clearTimeout(this._timer);
    this._sound.fresh();
    if (OVER.has(this._state)) return;
    if (code === ENDED) return this._over("ended", "by_server");
    if (!this._retry.covers(code)) this._reluctant += 1;
    if (this._reluctant >= RELUCTANT_MAX) return this._over("refused", "closed", why);
    void this._comeBack("reconnecting", navigator.onLine ? "lost" : "offline");
  }

  /** Open the line's end in this browser, once. */
  async _openSound() {
    this._opening ??= this._sound.open();
    try {
      await this._opening;
    } catch (trouble) {
      if (OVER.has(this._state)) return false; // It was closed while it opened.
      if (!(trouble instanceof NoSound)) throw trouble;
      this._run += 1;
      this._opening = null;
      this._listener.tell("error", { words: trouble.message });
      if (this._kept === null) this._over("refused", "no_sound", trouble.message);
      else this._become("idle", "offered");
      return false;
    }
    await this._sound.start(() => this._become(this._state, "gesture"));
    return !OVER.has(this._state);
  }

  _note(times) {
    const now = Date.now();
    const live = this._state === "live" ? { live_at: now } : {};
    Object.assign(this._kept, { alive_at: now }, live, times);
    this._memory.keep(this._kept);
  }

  _act() {
    if (this._kept !== null) this._note({ acted_at: Date.now() });
  }

  /** Keep the recovery token warm; one that was changed meanwhile is newer than the answer. */
  async _renew() {
    if (this._state !== "live") return;
    const { call_sid, recovery } = this._kept;
    const answer = await this._door.keep(call_sid, recovery);
    if (answer.kind === "let_in" && this._kept.recovery === recovery) this._keep(answer.ticket);
  }

  _hasPassed() {
    const { acted_at, live_at, windows } = this._kept;
    return Date.now() - Math.max(acted_at, live_at) > windows.resume_s * 1000;
  }

  _refuse(answer) {
    const state = { ended: "ended", window: "expired", recovery: "expired" }[answer.reason] ?? "refused";
    this._over(state, answer.reason, answer.words);
  }

  _over(state, reason, words) {
    this._run += 1;
    clearTimeout(this._timer);
    this._vigil.end();
    this._memory.forget();
    this._sound.close();
    this._release?.();
    this._become(state, reason, words);
  }

  _after(ms, act) {
    clearTimeout(this._timer);
    this._timer = setTimeout(act, ms);
  }

  _become(state, reason, words) {
    this._state = state;
    this._listener.state(state, reason, words ?? WORDS[reason] ?? WORDS[state]);
  }
}
