// Taking a call over: the seat is this tab's own random name, so that two tabs of one person are two.

import { useEffect, useState } from "../vendor/preact-htm.js";
import { callPath, send } from "./http.js";

const RENEW_MS = 20_000; // a seat that shows no sign of life for 60 s goes back to the agent
const KEY = "stayline.seat";

/** The name of this tab's seat; a reload keeps it. @returns {string} */
export function mySeat() {
  let seat = sessionStorage.getItem(KEY);
  if (!seat) {
    seat = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem(KEY, seat);
  }
  return seat;
}

/**
 * @typedef {object} SeatNow
 * @property {boolean} isMine
 * @property {{by: string, named: boolean, seat: string, since: string} | null} held who has the call, null for the agent
 * @property {boolean} isBusy something was asked and isn't seen in the call yet
 * @property {() => Promise<void>} take takes the call, from whom one sees there if need be
 * @property {() => Promise<void>} handBack
 */

/**
 * Who has the call, and how to take it and give it back. While it is ours, it is renewed.
 * @param {any} call the live state
 * @param {string} by the person's name
 * @param {(text: string) => void} onTold
 * @returns {SeatNow}
 */
export function useSeat(call, by, onTold) {
  const seat = mySeat();
  const held = call.taken_over ?? null;
  const isMine = held?.seat === seat;
  const [isBusy, setBusy] = useState(false);

  useEffect(() => setBusy(false), [held?.seat]);
  useEffect(() => {
    if (!isMine || call.phase === "ended") return undefined;
    const renew = () =>
      send(callPath(call.call_sid, "/takeover"), { by, seat, from_seat: null }).catch(() =>
        onTold("The server was not reached: the call goes back to the agent after a minute."),
      );
    const timer = setInterval(renew, RENEW_MS);
    return () => clearInterval(timer);
  }, [isMine, call.call_sid, call.phase]);

  const ask = async (/** @type {string} */ what, /** @type {object} */ body) => {
    setBusy(true);
    try {
      await send(callPath(call.call_sid, what), body);
    } catch (trouble) {
      setBusy(false);
      onTold(/** @type {Error} */ (trouble).message);
    }
  };
  return {
    held,
    isMine,
    isBusy,
    take: () => ask("/takeover", { by, seat, from_seat: held?.seat ?? null }),
    handBack: () => ask("/handback", { seat }),
  };
}
