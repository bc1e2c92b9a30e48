/** The phone's page: one session at a time, and what is shown of it. */

import { ROOT, takeToken, signIn } from "../entrance.js";
import { SignIn } from "../signin.js";
import { openSession, restorePersistedCall } from "../stayline.js";
import { html, render, useEffect, useState } from "../vendor/preact-htm.js";
import { Line } from "./line.js";
import { Memory } from "./memory.js";
import { Offer, Start } from "./start.js";
import { WORDS } from "./words.js";

const IN_CALL = new Set(["opening", "live", "reconnecting", "restoring"]);
const SERVER = location.origin + ROOT;
const NOTHING = { state: "idle", reason: "none", words: WORDS.idle };

/** The whole page. */
function Phone() {
  const [session, setSession] = useState(null);
  const [told, setTold] = useState(null);
  const [trouble, setTrouble] = useState("");

  function show(found) {
    setTrouble("");
    setSession(found);
    setTold(toldOf(found));
    found.addEventListener("state", ({ detail }) => setTold(detail));
    found.addEventListener("error", ({ detail }) => setTrouble(detail.words));
    found.addEventListener("sound", noteSound);
  }

  function call(parameters) {
    show(openSession({ server: SERVER, parameters }));
  }

  function leave() {
    void session.hangUp();
    setTold(NOTHING);
  }

  useEffect(() => {
    void arrive().then((found) => (found === null ? setTold(NOTHING) : show(found)));
  }, []);

  if (told === null) return html`<${Frame} state="idle" />`;
  if (told.reason === "sign_in") {
    return html`<${SignIn} onEntered=${() => setTold(NOTHING)} why="Calls from here need you to sign in." />`;
  }
  return html`
    <${Frame} state=${told.state}>
      <${Told} told=${told} trouble=${trouble} />
      ${IN_CALL.has(told.state) && html`<${Line} session=${session} told=${told} />`}
      ${told.reason === "offered" &&
      html`<${Offer} session=${session} onNew=${leave} />`}
      ${!IN_CALL.has(told.state) &&
      told.reason !== "offered" &&
      html`<${Start} known=${new Memory().visitor()} onCall=${call}
        label=${told.reason === "none" ? "Call" : "Call again"} />`}
    <//>
  `;
}

/** Sign in by a token in the address, if there is one, and look for this tab's call. */
async function arrive() {
  const token = takeToken();
  if (token) await signIn(token).catch(() => null); // A wrong one is asked for again when it is needed.
  return restorePersistedCall({ server: SERVER });
}

/** Note on the root when the newest stream was first heard, in ms after the page's load, and how many were. */
function noteSound() {
  const { dataset } = document.documentElement;
  dataset.soundedMs = String(Math.round(performance.now()));
  dataset.sounds = String(Number(dataset.sounds ?? 0) + 1);
}

function toldOf(session) {
  const { state, reason } = session;
  return { state, reason, words: WORDS[reason] ?? WORDS[state] };
}

/** The page around whatever there is to do. */
function Frame({ state, children }) {
  return html`
    <header class="topbar"><a class="brand" href=${`${ROOT}/phone`}>Stayline</a><span class="soft">Phone</span></header>
    <main class="phone stack" data-state=${state}>
      <h1 class="away">Call the agent</h1>
      ${children}
    </main>
  `;
}

/** The state in words: read out as it changes, and never told by colour alone. */
function Told({ told, trouble }) {
  return html`
    <p class="told" data-state=${told.state} role="status" aria-live="polite">
      <span class="lamp" aria-hidden="true"></span>
      <span>${told.words}</span>
    </p>
    ${trouble && html`<p class="notice warn" role="alert">${trouble}</p>`}
  `;
}

render(html`<${Phone} />`, document.getElementById("app"));
