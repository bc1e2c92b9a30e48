// What a person is called by the others who watch: as their token says, else typed once and kept in this
// browser.

import { html, useState } from "../vendor/preact-htm.js";

const KEY = "stayline.name";
const LETTERS_MAX = 60; // it stands in a badge

/**
 * @typedef {object} Me
 * @property {string} by what others see
 * @property {string} typed what stands in the field
 * @property {string} unnamed
 * @property {boolean} isNamed their token says what they are called
 * @property {(name: string) => void} change
 */

/**
 * The person's name, and a way to change it.
 * @param {string} unnamed what they are called until they say otherwise
 * @param {boolean} isNamed whether that is their own name, and stays
 * @returns {Me}
 */
export function useName(unnamed, isNamed) {
  const [name, setName] = useState(kept);
  const change = (/** @type {string} */ typed) => {
    const short = typed.slice(0, LETTERS_MAX);
    setName(short);
    try {
      localStorage.setItem(KEY, short);
    } catch {
      // It holds until the page is left.
    }
  };
  return { by: (!isNamed && name.trim()) || unnamed, typed: name, unnamed, isNamed, change };
}

/** @returns {string} */
function kept() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

/** The field for it. @param {{me: Me}} props */
export function NameField({ me }) {
  if (me.isNamed) return html`<span class="small soft">as ${me.by}</span>`;
  return html`<label class="name-field small soft">
    as
    <input class="input" value=${me.typed} placeholder=${me.unnamed} maxlength=${LETTERS_MAX} autocomplete="name" aria-label="Your name, as others see it"
      onInput=${(/** @type {any} */ event) => me.change(event.target.value)} />
  </label>`;
}
