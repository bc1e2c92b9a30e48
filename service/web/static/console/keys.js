// Single keys: off where somebody types, off while a dialog is open, and off altogether for who says so
// (WCAG 2.1.4).

import { useEffect } from "../vendor/preact-htm.js";

const OFF = "stayline:keys-off";

/** Whether single keys do anything. @returns {boolean} */
export const keysAreOn = () => localStorage.getItem(OFF) !== "1";

/** @param {boolean} on */
export function switchKeys(on) {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}

/**
 * Listens for single keys as long as the view stands.
 * @param {Record<string, (event: KeyboardEvent) => void>} acts by the key's name
 */
export function useKeys(acts) {
  useEffect(() => {
    const listen = (/** @type {KeyboardEvent} */ event) => {
      const act = acts[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]")) return;
      // Escape leaves a field as well; everything else belongs to the field.
      if (isTyping(event.target) && event.key !== "Escape") return;
      if (!keysAreOn() && event.key.length === 1) return;
      if (event.key === "Enter" && /** @type {Element} */ (event.target).closest?.("a,button,summary")) return;
      event.preventDefault();
      act(event);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.matches("input,textarea,select") || target.isContentEditable);
}
