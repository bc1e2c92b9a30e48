/**
 * G.711 mu-law, the telephone's 8 bits for 14: the same numbers as ITU-T G.711 and service/audio.py.
 *
 * Samples are floats from -1 to 1, as Web Audio has them. Used inside the audio worklet, so nothing
 * here touches the page.
 */

/** Silence as a mu-law byte. */
export const SILENCE = 0xff;

/** Samples a second on the wire. */
export const WIRE_RATE = 8000;

const BIAS = 0x84; // G.711's bias for 16-bit samples: it makes every segment begin at a power of two.
const CLIP = 32635; // The loudest sample that the bias does not push over 16 bits.

const DECODED = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + BIAS) << ((code >> 4) & 0x07)) - BIAS;
  return (code & 0x80 ? -magnitude : magnitude) / 32768;
});

/**
 * Return the sample that a mu-law byte stands for.
 * @param {number} byte 0 to 255
 * @returns {number} -1 to 1
 */
export function decode(byte) {
  return DECODED[byte];
}

/**
 * Return the mu-law byte nearest to a sample; louder than 1 is cut to the loudest byte.
 * @param {number} sample
 * @returns {number} 0 to 255
 */
export function encode(sample) {
  const scaled = Math.round(sample * 32768);
  const sign = scaled < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(scaled), CLIP) + BIAS;
  const segment = Math.max(24 - Math.clz32(magnitude), 0);
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}
