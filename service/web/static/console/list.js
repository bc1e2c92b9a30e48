// The wall: every call of the tenant, live, filtered by words and phase, walked through by keys.

import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { Alerts, worst } from "./alerts.js";
import { useBoard } from "./board.js";
import { Charts } from "./charts.js";
import { useFigures } from "./figures.js";
import { useKeys } from "./keys.js";
import { LinkMark } from "./link_mark.js";
import { callAddress, go } from "./route.js";
import { Row } from "./row.js";
import { useNow } from "./ticking.js";
import { counted } from "./words.js";

const CHARTED = "stayline.charts";
const SHOWN_MAX = 300; // more is no list that people read, and would be drawn every second

/** @typedef {{name: string, word: string, fits: (one: any) => boolean}} Chip */

/** @type {Chip[]} */
const CHIPS = [
  { name: "open", word: "Going on", fits: (one) => one.phase !== "ended" },
  { name: "detached", word: "Cut off", fits: (one) => one.phase === "detached" },
  { name: "human", word: "With a person", fits: (one) => Boolean(one.taken_over_by) && one.phase !== "ended" },
  { name: "ended", word: "Ended", fits: (one) => one.phase === "ended" },
  { name: "all", word: "All", fits: () => true },
];

/** The list of calls. @param {{onSheet: () => void, onSignedOut: () => void}} props */
export function List({ onSheet, onSignedOut }) {
  const [query, setQuery] = useState("");
  const [chip, setChip] = useState("open");
  const [chosen, setChosen] = useState("");
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [isCharted, setCharted] = useState(() => localStorage.getItem(CHARTED) === "1");
  const { calls, link, isKnown, figures: told } = useBoard(query.trim());
  const figures = useFigures(isCharted, told, link.way === "stream" && link.state === "live");
  const now = useNow(1_000);
  const shown = useMemo(() => calls.filter(CHIPS.find((one) => one.name === chip)?.fits ?? Boolean), [calls, chip]);

  useEffect(() => {
    document.title = `${worst(figures.alerts)}${counted(calls.filter(CHIPS[0].fits).length, "call")} · Stayline`;
  }, [calls, figures.alerts]);

  useEffect(() => {
    if (link.state === "signed out") onSignedOut();
  }, [link.state]);

  const chart = (/** @type {boolean} */ isOpen) => {
    setCharted(isOpen);
    localStorage.setItem(CHARTED, isOpen ? "1" : "0");
  };
  const step = (/** @type {number} */ by) => {
    const from = shown.findIndex((one) => one.call_sid === chosen);
    const next = shown[Math.min(Math.max(from + by, 0), shown.length - 1)];
    if (next) setChosen(next.call_sid);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => chosen && go(callAddress(chosen)),
    "/": () => search.current?.focus(),
    "?": onSheet,
    Escape: () => {
      setQuery("");
      search.current?.blur();
    },
  });

  return html`<main id="main" class="page wall stack">
    <h1 class="away">Calls</h1>
    <div class="wall-bar">
      <div class="wall-search">
        <label for="search" class="away">Search calls</label>
        <input id="search" class="input" type="search" ref=${search} value=${query} autocomplete="off" spellcheck=${false}
          placeholder="Search names, tickets, words said" onInput=${(/** @type {any} */ event) => setQuery(event.target.value)} />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <div class="chips" role="group" aria-label="Phase">
        ${CHIPS.map(
          (one) => html`<button type="button" class="chip" key=${one.name} aria-pressed=${one.name === chip}
            onClick=${() => setChip(one.name)}>${one.word} <span class="chip-count">${calls.filter(one.fits).length}</span></button>`,
        )}
      </div>
      <${LinkMark} link=${link} now=${now} />
    </div>
    <${Alerts} alerts=${figures.alerts} now=${now} />
    <${Charts} points=${figures.points} isOpen=${isCharted} onToggle=${chart} />
    <${Calls} shown=${shown} chosen=${chosen} now=${now} isKnown=${isKnown} isFiltered=${Boolean(query) || chip !== "open"} />
  </main>`;
}

/** @param {{shown: any[], chosen: string, now: number, isKnown: boolean, isFiltered: boolean}} props */
function Calls({ shown, chosen, now, isKnown, isFiltered }) {
  if (!isKnown) return html`<p class="empty" role="status">Looking for calls …</p>`;
  if (!shown.length) {
    return html`<div class="empty">
      <p class="empty-title">${isFiltered ? "No call fits." : "All quiet."}</p>
      <p>${isFiltered ? "Try other words, or another phase." : "The next call shows up here by itself."}</p>
    </div>`;
  }
  return html`<table class="table calls">
    <caption class="away">Calls, those that go on first</caption>
    <thead>
      <tr>
        <th scope="col">Phase</th>
        <th scope="col">Caller</th>
        <th scope="col">Ticket</th>
        <th scope="col">Stage</th>
        <th scope="col">Last words</th>
        <th scope="col">Continuity</th>
        <th scope="col" class="number">Length</th>
      </tr>
    </thead>
    <tbody>
      ${shown.slice(0, SHOWN_MAX).map((one) => html`<${Row} key=${one.call_sid} call=${one} now=${now} isChosen=${one.call_sid === chosen} />`)}
    </tbody>
    ${shown.length > SHOWN_MAX && html`<tfoot><tr><td colspan="7" class="soft">and ${shown.length - SHOWN_MAX} more: search for those you want to see</td></tr></tfoot>`}
  </table>`;
}
