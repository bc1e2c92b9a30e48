// The sheet of keys, and the switch that turns them off.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { keysAreOn, switchKeys } from "./keys.js";

/** @type {[string, [string[], string][]][]} */
const SHEET = [
  ["Everywhere", [[["?"], "this sheet"], [["Esc"], "leave a field, go back"]]],
  ["List", [[["j"], "next call"], [["k"], "call before"], [["Enter"], "open the call"], [["/"], "search"]]],
  [
    "Call",
    [
      [["[", "]"], "one record back, on"],
      [["l"], "back to live"],
      [["s"], "say a line"],
      [["n"], "write a note"],
      [["←", "→"], "through the timeline, once it has the focus"],
    ],
  ],
];

/** @param {{isOpen: boolean, onClose: () => void}} props */
export function Sheet({ isOpen, onClose }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [on, setOn] = useState(keysAreOn);
  useEffect(() => {
    if (isOpen && !box.current?.open) box.current?.showModal();
    if (!isOpen) box.current?.close();
  }, [isOpen]);
  const change = (/** @type {any} */ event) => {
    switchKeys(event.target.checked);
    setOn(event.target.checked);
  };
  return html`<dialog ref=${box} class="sheet" aria-labelledby="sheet-title" onClose=${onClose}>
    <h2 id="sheet-title">Keys</h2>
    ${SHEET.map(
      ([place, keys]) => html`<section key=${place}>
        <h3>${place}</h3>
        <dl class="facts">
          ${keys.map(([names, what]) => html`<dt>${names.map((name) => html`<kbd key=${name}>${name}</kbd> `)}</dt><dd>${what}</dd>`)}
        </dl>
      </section>`,
    )}
    <label class="row"><input type="checkbox" checked=${on} onChange=${change} /> Single keys do something</label>
    <div class="row"><button type="button" class="button" autofocus onClick=${() => box.current?.close()}>Close</button></div>
  </dialog>`;
}
