// Talking to the caller: this tab's microphone and loudspeaker on the call's voice socket.
//
//     off ──> opening ──> talking ──> (the socket is lost) ──> opening …   ──> off, with the reason in words
//
// Microphone, player and messages are the phone's own. A server that does not hold the call says so (4421);
// then we dial again, because a balancer may lead elsewhere. While the caller's stream is away the socket
// stands, and nothing is heard on it.

import { ROOT } from "../entrance.js";
import { NoSound, Sound } from "../phone/sound.js";
import { Wire } from "../phone/wire.js";
import { callPath } from "./http.js";

const ELSEWHERE = 4421;
const NOT_YOURS = 4403;
const SEAT_MS_MAX = 5_000; // the seat was given us; the server that has the call may read so a moment later
const DIALS_MAX = 8; // so many servers in a row that do not hold the call
const AGAIN_MS = [250, 500, 1_000, 2_000]; // the last one for all that follow
const STEADY_MS = 3_000; // a socket that stood so long was let in
const FINAL = new Map([
  [1000, "The line is closed."],
  [4401, "You are signed out."],
  [NOT_YOURS, "The call is not yours any more."],
  [4404, "There is no such call."],
  [4409, "You talk in another window now."],
]);
const NOT_FOUND = "The call was not found on any server. It may be on its way back: try again in a moment.";

/** One person's line to one call. Events: "state" {state, words}, "level" {who, level}. */
export class Headset extends EventTarget {
  /**
   * @param {string} callSid
   * @param {string} seat
   */
  constructor(callSid, seat) {
    super();
    this.state = "off";
    this.isMuted = false;
    this._callSid = callSid;
    this._seat = seat;
    this._dials = 0;
    this._began = 0;
    this._wasIn = false;
    /** @type {Wire | null} */
    this._wire = null;
    this._sound = new Sound({
      frame: (bytes, index) => this._wire?.media(bytes, index),
      heard: (names) => names.forEach((name) => this._wire?.echo(name)),
      sounded: () => {},
      level: (who, level) => this._tell("level", { who, level }),
      trouble: (words) => this._tell("state", { state: this.state, words }),
    });
  }

  /** Ask for the microphone, and dial. To be called inside a click or a key. */
  async open() {
    this._become("opening", "");
    this._wasIn = false;
    try {
      await this._sound.open();
    } catch (trouble) {
      if (!(trouble instanceof NoSound)) throw trouble;
      return this._end(trouble.message);
    }
    await this._sound.start(() => this._become("opening", "Click anywhere: the browser wants it before it lets us sound."));
    this._began = performance.now();
    if (this.state === "opening") this._dial();
  }

  /** Stop talking; the seat stays. */
  close() {
    if (this.state === "off") return;
    this._wire?.stop();
    this._end("");
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.isMuted = isMuted;
    this._sound.mute(isMuted);
  }

  _dial() {
    const url = new URL(`${ROOT}${callPath(this._callSid, "/voice")}?seat=${encodeURIComponent(this._seat)}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const ticket = { url: url.href, token: "", callSid: this._callSid, parameters: {} };
    this._sound.fresh();
    this._wire = new Wire(ticket, {
      opened: () => this._after(STEADY_MS / 10, () => this._stand()),
      told: (message) => this._play(message),
      closed: (code, reason) => this._lost(code, reason),
    });
  }

  _stand() {
    this._become("talking", "");
    this._after(STEADY_MS, () => {
      this._dials = 0;
      this._wasIn = true;
    });
  }

  /** @param {any} message */
  _play(message) {
    if (this.state === "opening") this._stand();
    this._sound.play(message);
  }

  /**
   * @param {number} code
   * @param {string} _reason
   */
  _lost(code, _reason) {
    clearTimeout(this._timer);
    this._wire = null;
    if (this.state === "off") return;
    const isEarly = code === NOT_YOURS && !this._wasIn && performance.now() - this._began < SEAT_MS_MAX;
    const final = isEarly ? undefined : FINAL.get(code);
    this._dials += 1;
    if (final !== undefined) return this._end(final);
    if (this._dials >= DIALS_MAX) return this._end(code === ELSEWHERE ? NOT_FOUND : "The line can't be opened.");
    this._become("opening", "");
    const wait = AGAIN_MS[Math.min(this._dials - 1, AGAIN_MS.length - 1)];
    this._after(code === ELSEWHERE ? Math.min(wait, 500) : wait, () => this._dial());
  }

  /** @param {string} words */
  _end(words) {
    clearTimeout(this._timer);
    this._wire = null;
    this._sound.close();
    this._become("off", words);
  }

  /**
   * @param {number} ms
   * @param {() => void} then
   */
  _after(ms, then) {
    clearTimeout(this._timer);
    this._timer = setTimeout(then, ms);
  }

  /**
   * @param {string} state
   * @param {string} words
   */
  _become(state, words) {
    this.state = state;
    this._tell("state", { state, words });
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  _tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
