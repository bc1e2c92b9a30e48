/**
 * The two ends of the line, inside the audio thread: the microphone and the loudspeaker.
 *
 *     microphone  ── context rate ──> 8 kHz ──> mu-law ──> {frame, index, level} every 20 ms
 *     {put | mark | clear} ──> playout ──> 8 kHz ──> context rate ──> loudspeaker
 *
 * The page's own thread may stand still for a while; this one goes on, and the index of a frame tells
 * how many were lost meanwhile.
 */

import { WIRE_RATE, encode } from "./mulaw.js";
import { Playout, STEP } from "./playout.js";
import { Resampler } from "./resample.js";

const FRAME = 160; // 20 ms at 8 kHz, as telephone networks send them
const REPORT_STEPS = 50; // the loudspeaker tells level and place every 50 ms
const NOTHING = new Float32Array(128); // a block of the audio thread in which nobody speaks
const AUDIBLE = 0.002; // louder than mu-law's smallest steps: somebody can hear it

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this._resampler = new Resampler(sampleRate, WIRE_RATE);
    this._frame = new Uint8Array(FRAME);
    this._filled = 0;
    this._index = 0;
    this._power = 0;
    this._is_open = true;
    this._take = (sample) => this._keep(sample);
    this.port.onmessage = () => {
      this._is_open = false;
    };
  }

  process([input]) {
    // A microphone that was pulled out sends silence, as a phone with a hand over it would.
    this._resampler.push(input[0] ?? NOTHING, this._take);
    return this._is_open;
  }

  _keep(sample) {
    this._frame[this._filled] = encode(sample);
    this._power += sample * sample;
    this._filled += 1;
    if (this._filled < FRAME) return;
    const level = Math.sqrt(this._power / FRAME);
    const frame = this._frame;
    this.port.postMessage({ frame, index: this._index, level }, [frame.buffer]);
    this._frame = new Uint8Array(FRAME);
    this._filled = 0;
    this._power = 0;
    this._index += 1;
  }
}

class Loudspeaker extends AudioWorkletProcessor {
  constructor() {
    super();
    this._playout = new Playout();
    this._resampler = new Resampler(WIRE_RATE, sampleRate);
    this._step = new Float32Array(STEP);
    this._ready = [];
    this._steps = 0;
    this._power = 0;
    this._is_open = true;
    this._was_heard = false;
    this._give = (sample) => this._ready.push(sample);
    this.port.onmessage = ({ data }) => this._take(data);
  }

  _take(told) {
    if (told.put) this._playout.put(told.put);
    else if (told.mark !== undefined) this._playout.mark(told.mark);
    else if (told.latency_ms !== undefined) this._playout.latency_ms = told.latency_ms;
    else if (told.clear) this._tell_heard(this._playout.clear());
    else if (told.fresh) this._begin_afresh();
    else if (told.close) this._is_open = false;
  }

  /** A new stream: what the old one had not played is no longer wanted, and nobody waits for its marks. */
  _begin_afresh() {
    this._playout.clear();
    this._was_heard = false;
  }

  process(_inputs, [output]) {
    const [first, ...others] = output;
    while (this._ready.length < first.length) this._next();
    first.set(this._ready.splice(0, first.length));
    for (const other of others) other.set(first);
    this._tell_heard(this._playout.heard());
    return this._is_open;
  }

  _next() {
    const has_sound = this._playout.take(this._step);
    this._resampler.push(this._step, this._give);
    if (has_sound) this._weigh();
    this._steps += 1;
    if (this._steps % REPORT_STEPS > 0) return;
    const level = Math.sqrt(this._power / (REPORT_STEPS * STEP));
    const { played_samples, buffered_ms, dry } = this._playout;
    this.port.postMessage({ level, played_ms: Math.floor(played_samples / STEP), buffered_ms, dry });
    this._power = 0;
  }

  _weigh() {
    let power = 0;
    for (const sample of this._step) power += sample * sample;
    this._power += power;
    if (!this._was_heard && Math.sqrt(power / STEP) > AUDIBLE) {
      this._was_heard = true;
      this.port.postMessage({ sound: true });
    }
  }

  _tell_heard(names) {
    if (names.length > 0) this.port.postMessage({ heard: names });
  }
}

registerProcessor("stayline-microphone", Microphone);
registerProcessor("stayline-loudspeaker", Loudspeaker);
