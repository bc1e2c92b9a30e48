/** Twelve keys, as on every telephone: buttons, and the keyboard's own digits. */

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";

const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"],
  ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"],
  ["*", ""], ["0", "+"], ["#", ""],
];
const NAMES = { "*": "star", "#": "hash" };
const LIT_MS = 150; // long enough to be seen, short enough for quick typing

/** @param {{onPress: (digit: string) => void}} props */
export function Keypad({ onPress }) {
  const [lit, setLit] = useState("");
  const press = useRef(onPress);
  press.current = onPress;

  useEffect(() => {
    function typed(event) {
      const isElsewhere = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
      if (isElsewhere || event.target.matches?.("input, textarea, select")) return;
      if (!KEYS.some(([digit]) => digit === event.key)) return;
      press.current(event.key);
      setLit(event.key);
    }
    window.addEventListener("keydown", typed);
    return () => window.removeEventListener("keydown", typed);
  }, []);

  useEffect(() => {
    if (lit === "") return undefined;
    const timer = setTimeout(() => setLit(""), LIT_MS);
    return () => clearTimeout(timer);
  }, [lit]);

  return html`
    <div class="keypad" role="group" aria-label="Keypad">
      ${KEYS.map(
        ([digit, letters]) => html`
          <button key=${digit} type="button" class=${digit === lit ? "key lit" : "key"}
            aria-label=${NAMES[digit] ?? digit} onClick=${() => onPress(digit)}>
            <span>${digit}</span><small aria-hidden="true">${letters}</small>
          </button>
        `,
      )}
    </div>
  `;
}
