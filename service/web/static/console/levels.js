// Level strips: how loud it was, as the holder of the call measured it. Pure.

const FLOOR = 40; // of 255; below it is the line's own noise, which would draw a band of nothing

/**
 * One strip as the outline of an area around a middle line.
 * @param {any[]} levels pieces as the timeline has them: at_ms, step_ms and bytes in base64
 * @param {"caller" | "ours"} side
 * @param {import("./scale.js").Scale} scale
 * @param {number} middle
 * @param {number} half half of the strip's height
 * @returns {string} the `d` of a path; "" when nothing is in sight
 */
export function strip(levels, side, scale, middle, half) {
  let d = "";
  for (const piece of levels) {
    const bytes = loud(piece[side]);
    const to = piece.at_ms + bytes.length * piece.step_ms;
    if (!bytes.length || to < scale.span.from || piece.at_ms > scale.span.to) continue;
    d += area(peaks(bytes, piece, scale), middle, half);
  }
  return d;
}

/**
 * @param {string | undefined} text
 * @returns {Uint8Array}
 */
function loud(text) {
  if (!text) return new Uint8Array();
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/**
 * One point a pixel at most: the loudest step of it.
 * @param {Uint8Array} bytes
 * @param {{at_ms: number, step_ms: number}} piece
 * @param {import("./scale.js").Scale} scale
 * @returns {[number, number][]} x and loudness from 0 to 1
 */
function peaks(bytes, piece, scale) {
  /** @type {[number, number][]} */
  const points = [];
  for (let index = 0; index < bytes.length; index += 1) {
    const x = scale.x(piece.at_ms + index * piece.step_ms);
    if (x < scale.left || x > scale.right) continue;
    const share = Math.max(bytes[index] - FLOOR, 0) / (255 - FLOOR);
    const last = points[points.length - 1];
    if (last && x - last[0] < 1) last[1] = Math.max(last[1], share);
    else points.push([x, share]);
  }
  return points;
}

/**
 * @param {[number, number][]} points
 * @param {number} middle
 * @param {number} half
 */
function area(points, middle, half) {
  if (points.length < 2) return "";
  const up = points.map(([x, share]) => `${x} ${(middle - share * half).toFixed(1)}`);
  const down = points.map(([x, share]) => `${x} ${(middle + share * half).toFixed(1)}`).reverse();
  return `M${up.join("L")}L${down.join("L")}Z`;
}
