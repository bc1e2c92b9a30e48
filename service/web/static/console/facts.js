// What is known of a call beside its words: fields, tools that work or wait, and notes.

import { html, useState } from "../vendor/preact-htm.js";
import { callPath, send } from "./http.js";
import { moment, spaced, statusWord, timeOfDay } from "./words.js";

/** @type {Record<string, string>} */
const SOURCES = { directory: "from the directory", speech: "said", keys: "keyed", tool: "from a tool", human: "by a person" };

/** @param {{fields: Record<string, any>}} props */
export function Fields({ fields }) {
  const names = Object.keys(fields);
  return html`<section class="card" aria-labelledby="fields-title">
    <h2 id="fields-title">Known</h2>
    ${names.length === 0
      ? html`<p class="soft small">Nothing was answered yet.</p>`
      : html`<dl class="facts">
          ${names.map((name) => {
            const { value, confirmed, source, confidence } = fields[name];
            const how = SOURCES[source] ?? spaced(source);
            return html`<dt>${spaced(name)}</dt>
              <dd>
                ${value}
                <span class="below soft small">${how}${confirmed ? ", confirmed ✓" : `, ${Math.round(confidence * 100)} % sure`}</span>
              </dd>`;
          })}
        </dl>`}
  </section>`;
}

/** @param {{call: any, mayAct: boolean, by: string, onTold: (text: string) => void}} props */
export function Tools({ call, mayAct, by, onTold }) {
  if (!call.operations.length) return null;
  const decide = async (/** @type {any} */ one, /** @type {boolean} */ approve) => {
    try {
      await send(callPath(call.call_sid, `/operations/${encodeURIComponent(one.id)}`), { approve, by });
      onTold(`${spaced(one.tool)} was ${approve ? "approved" : "denied"}.`);
    } catch (trouble) {
      onTold(/** @type {Error} */ (trouble).message);
    }
  };
  return html`<section class="card" aria-labelledby="tools-title">
    <h2 id="tools-title">Tools</h2>
    <ul class="tools">
      ${call.operations.map((/** @type {any} */ one) => {
        const isWaiting = one.status === "pending" && one.approval === "asked";
        return html`<li key=${one.id} data-status=${one.status}>
          <p>
            <strong>${spaced(one.tool)}</strong>
            <span class="badge ${isWaiting ? "warn" : one.status === "succeeded" ? "good" : one.status === "pending" ? "" : "bad"}">
              ${isWaiting ? "waits for a person" : statusWord(one.status)}
            </span>
          </p>
          <p class="small soft mono">${Object.entries(one.arguments).map(([name, value]) => `${spaced(name)}: ${plain(value)}`).join(" · ")}</p>
          ${one.detail && html`<p class="small">${one.detail}</p>`}
          ${isWaiting && mayAct && html`<div class="row">
            <button type="button" class="button little primary" onClick=${() => decide(one, true)}>Approve</button>
            <button type="button" class="button little danger" onClick=${() => decide(one, false)}>Deny</button>
            <span class="small soft">until ${timeOfDay(moment(one.deadline_at))} at the latest</span>
          </div>`}
        </li>`;
      })}
    </ul>
  </section>`;
}

/** @param {unknown} value */
const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** @param {{call: any, mayAct: boolean, onTold: (text: string) => void}} props */
export function Notes({ call, mayAct, onTold }) {
  const [text, setText] = useState("");
  const add = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.trim()) return;
    try {
      await send(callPath(call.call_sid, "/notes"), { text });
      setText("");
      onTold("The note was added.");
    } catch (trouble) {
      onTold(/** @type {Error} */ (trouble).message);
    }
  };
  return html`<section class="card" aria-labelledby="notes-title">
    <h2 id="notes-title">Notes</h2>
    ${call.notes.map(
      (/** @type {any} */ note) => html`<p class="note" key=${note.position}>
        ${note.text}<span class="below soft small">${note.by ? `${note.by}, ` : ""}${timeOfDay(moment(note.at))}</span>
      </p>`,
    )}
    ${call.notes.length === 0 && !mayAct && html`<p class="soft small">None.</p>`}
    ${mayAct && html`<form class="row" onSubmit=${add}>
      <label class="away" for="note">A note for the team</label>
      <input id="note" class="input grow" value=${text} maxlength="10000" autocomplete="off" placeholder="A note for the team"
        onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
      <button class="button" disabled=${!text.trim()}>Add</button>
    </form>`}
  </section>`;
}
