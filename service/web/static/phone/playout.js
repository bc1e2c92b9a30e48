/**
 * What the server sent and the loudspeaker has not played: mu-law bytes and the marks between them.
 *
 *     put, mark ──> [ bytes … mark … bytes … mark ] ──> take, 1 ms at a time ──> marks that were heard
 *
 * Rules. 1. A mark comes back when all the sound before it has left the loudspeaker, never earlier.
 * 2. Marks come back in the order in which they were put. 3. `clear` empties the buffer and brings
 * every mark back at once (Twilio, "clear message"). 4. After running dry it waits until START_MS lie
 * ready, or WAIT_MS have gone by, so that frames that come unevenly do not stutter.
 */

import { decode } from "./mulaw.js";

const START_MS = 40; // Two frames: a frame that is late by one does not tear the sound.
const WAIT_MS = 60; // A last short piece is not held back longer than this.
const BUFFERED_MS_MAX = 600_000; // As Twilio's: more than ten minutes are thrown away.
const MARKS_MAX = 50_000; // One every 20 ms of all that can be buffered; beyond that it is an attack.

/** Samples that `take` gives: 1 ms at 8 kHz. */
export const STEP = 8;

/** The queue between the wire and the loudspeaker. */
export class Playout {
  constructor() {
    this._pieces = [];
    this._offset = 0; // how much of the first piece was played
    this._marks = []; // {name, at}: waiting for the sound before them
    this._leaving = []; // {name, due_ms}: played, and still on the way through the hardware
    this._now_ms = 0;
    this._waited_ms = 0;
    this._is_playing = false;
    this._last_ms = 0; // when the last sound was handed on
    this.put_samples = 0;
    this.played_samples = 0;
    this.dry = 0; // how often it ran dry
    this.latency_ms = 0; // from here to the ear, as the page measures it
  }

  /** Sound that waits, in ms. */
  get buffered_ms() {
    return Math.ceil((this.put_samples - this.played_samples) / STEP);
  }

  /**
   * Append sound. What would make it longer than ten minutes is thrown away.
   * @param {Uint8Array} bytes mu-law, 8 kHz
   */
  put(bytes) {
    if (bytes.length === 0 || this.buffered_ms + bytes.length / STEP > BUFFERED_MS_MAX) return;
    this._pieces.push(bytes);
    this.put_samples += bytes.length;
  }

  /**
   * Append a mark.
   * @param {string} name
   */
  mark(name) {
    if (this._marks.length < MARKS_MAX) this._marks.push({ name, at: this.put_samples });
    if (this.put_samples === this.played_samples) this._pass();
  }

  /**
   * Throw away what was not played.
   * @returns {string[]} the marks that waited, oldest first
   */
  clear() {
    const names = [...this._leaving, ...this._marks].map((mark) => mark.name);
    this._pieces = [];
    this._offset = 0;
    this._marks = [];
    this._leaving = [];
    this._is_playing = false;
    this.played_samples = this.put_samples;
    return names;
  }

  /**
   * Fill one step with sound or silence.
   * @param {Float32Array} step STEP samples
   * @returns {boolean} whether there was sound in it
   */
  take(step) {
    this._now_ms += 1;
    step.fill(0);
    if (!this._may_play()) return false;
    for (let n = 0; n < step.length && this._pieces.length > 0; n += 1) {
      step[n] = decode(this._pieces[0][this._offset]);
      this._offset += 1;
      this.played_samples += 1;
      if (this._offset === this._pieces[0].length) {
        this._pieces.shift();
        this._offset = 0;
      }
    }
    this._last_ms = this._now_ms;
    this._pass();
    if (this._pieces.length === 0) this._is_playing = false;
    return true;
  }

  /**
   * The marks whose sound has reached the ear since the last call, oldest first.
   * @returns {string[]}
   */
  heard() {
    const names = [];
    while (this._leaving.length > 0 && this._leaving[0].due_ms <= this._now_ms) {
      names.push(this._leaving.shift().name);
    }
    return names;
  }

  _may_play() {
    if (this._pieces.length === 0) {
      this._waited_ms = 0;
      return false;
    }
    if (!this._is_playing) {
      this._waited_ms += 1;
      this._is_playing = this.buffered_ms >= START_MS || this._waited_ms > WAIT_MS;
      if (this._is_playing && this.played_samples > 0) this.dry += 1;
    }
    return this._is_playing;
  }

  _pass() {
    while (this._marks.length > 0 && this._marks[0].at <= this.played_samples) {
      const due_ms = this._last_ms + Math.round(this.latency_ms);
      this._leaving.push({ name: this._marks.shift().name, due_ms });
    }
  }
}
