// The timeline as a table: for screen readers, for copying, and for whoever reads faster than they look.

import { html, useState } from "../vendor/preact-htm.js";
import { clock, span } from "./words.js";

/** @type {Record<string, string>} */
const KINDS = { stream: "Stream", gap: "Gap", speech: "Said", key: "Key", tool: "Tool", act: "Act" };

/**
 * @param {{all: import("./items.js").Item[], begin: number, onPosition: (position: number) => void}} props
 */
export function TimelineTable({ all, begin, onPosition }) {
  // The rows are made only once somebody looks: a long call has thousands.
  const [isOpen, setOpen] = useState(false);
  return html`<details class="timeline-text" onToggle=${(/** @type {any} */ event) => setOpen(event.currentTarget.open)}>
    <summary>As a table</summary>
    ${isOpen &&
    html`<div class="table-box" tabindex="0" role="region" aria-label="The timeline as a table">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">At</th>
            <th scope="col">Kind</th>
            <th scope="col">What</th>
            <th scope="col" class="number">Length</th>
          </tr>
        </thead>
        <tbody>
          ${all.map(
            (one) => html`<tr key=${one.id} data-kind=${one.kind}>
              <td class="number">
                ${one.position
                  ? html`<button type="button" class="button little quiet" onClick=${() => onPosition(one.position)}
                      aria-label=${`Go to ${clock(one.from - begin)}`}>${clock(one.from - begin)}</button>`
                  : clock(one.from - begin)}
              </td>
              <td>${KINDS[one.kind]}</td>
              <td><strong>${one.title}.</strong> ${one.words}</td>
              <td class="number">${one.to > one.from ? `${span(one.to - one.from)}${one.isOpen ? " …" : ""}` : ""}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`}
  </details>`;
}
