/**
 * A streaming resampler between any two whole rates: a polyphase low-pass of windowed sincs.
 *
 *     out[n] = sum over k of in[i + k] * h_p[k],   i + p/L = n * M/L   (to/from = L/M in lowest terms)
 *
 * The low-pass stands at nine tenths of the lower rate's half, so nothing folds back into speech: what
 * lies above 4.2 kHz in a microphone at 48 kHz is 70 dB down at 8 kHz.
 */

const CROSSINGS = 16; // Zero crossings of the sinc on each side; fewer let hiss fold back.
const KAISER_BETA = 7; // Side lobes at -70 dB, which is below what mu-law itself adds.

/** Turns samples of one rate into samples of another, block by block. */
export class Resampler {
  /**
   * @param {number} from samples a second that come in
   * @param {number} to samples a second that go out
   */
  constructor(from, to) {
    const shared = divisor(Math.round(from), Math.round(to));
    this._up = Math.round(to) / shared;
    this._down = Math.round(from) / shared;
    const cutoff = (0.45 * Math.min(from, to)) / from; // in cycles a sample of what comes in
    this._half = Math.ceil(CROSSINGS / (2 * cutoff));
    this._phases = Array.from({ length: this._up }, (_, phase) =>
      kernel(phase / this._up, cutoff, this._half),
    );
    this._past = new Float32Array(8192);
    this.reset();
  }

  /** Forget what came before: the next block begins after silence. */
  reset() {
    this._past.fill(0);
    this._length = this._half; // The first sample has silence before it.
    this._at = this._half - 1;
    this._phase = 0;
  }

  /**
   * Take a block in, and give out every sample that it completes.
   * @param {Float32Array} block at most 4,096 samples
   * @param {(sample: number) => void} give
   */
  push(block, give) {
    if (this._length + block.length > this._past.length) this._forget();
    this._past.set(block, this._length);
    this._length += block.length;
    const half = this._half;
    while (this._at + half < this._length) {
      const taps = this._phases[this._phase];
      const first = this._at - half + 1;
      let sum = 0;
      for (let k = 0; k < taps.length; k += 1) sum += this._past[first + k] * taps[k];
      give(sum);
      this._phase += this._down;
      this._at += Math.floor(this._phase / this._up);
      this._phase %= this._up;
    }
  }

  _forget() {
    const first = Math.max(0, this._at - this._half + 1);
    this._past.copyWithin(0, first, this._length);
    this._length -= first;
    this._at -= first;
  }
}

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}

/** The taps for an output that lies `shift` after an input sample; they add up to one. */
function kernel(shift, cutoff, half) {
  const taps = new Float32Array(2 * half);
  let sum = 0;
  for (let k = 0; k < taps.length; k += 1) {
    const x = k - half + 1 - shift;
    const angle = 2 * Math.PI * cutoff * x;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    const edge = Math.max(0, 1 - (x / half) ** 2);
    taps[k] = sinc * bessel(KAISER_BETA * Math.sqrt(edge));
    sum += taps[k];
  }
  return taps.map((tap) => tap / sum);
}

/** The modified Bessel function of order zero, of which Kaiser's window is made. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let n = 1; n < 40; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}
