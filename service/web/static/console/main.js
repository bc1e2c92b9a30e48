// The console: whoever is signed in sees the list, or one call.

import { ROOT, enter, signOut } from "../entrance.js";
import { SignIn } from "../signin.js";
import { nextTheme, chooseTheme, theme } from "../theme.js";
import { html, render, useEffect, useState } from "../vendor/preact-htm.js";
import { CallPage } from "./call.js";
import { List } from "./list.js";
import { CONSOLE, follow, useRoute } from "./route.js";
import { Sheet } from "./sheet.js";

const AGAIN_MS = 2_000; // between two tries while the server is away
const THEMES = { auto: "as the device", light: "light", dark: "dark" };

function Console() {
  const [visitor, setVisitor] = useState(/** @type {import("../entrance.js").Visitor | null | undefined} */ (undefined));
  const [why, setWhy] = useState("");
  const [isSheet, setSheet] = useState(false);
  const route = useRoute();

  useEffect(() => {
    let timer = 0;
    const look = () =>
      enter().then(setVisitor, () => {
        setWhy("The server can't be reached. Trying again …");
        timer = setTimeout(look, AGAIN_MS);
      });
    look();
    return () => clearTimeout(timer);
  }, []);

  const leave = async () => {
    await signOut().catch(() => {});
    setWhy("You are signed out.");
    setVisitor(null);
  };
  const expel = () => {
    setWhy("Your session is over. Please sign in again.");
    setVisitor(null);
  };
  const enterAs = (/** @type {import("../entrance.js").Visitor} */ who) => {
    setWhy("");
    setVisitor(who);
  };

  if (visitor === undefined) return html`<main class="entrance"><p class="soft" role="status">${why || "One moment …"}</p></main>`;
  if (visitor === null) return html`<${SignIn} onEntered=${enterAs} why=${why} />`;
  return html`<div class="console">
    <a class="skip" href="#main">Skip to the content</a>
    <${TopBar} visitor=${visitor} onLeave=${leave} onSheet=${() => setSheet(true)} />
    ${route.view === "call"
      ? html`<${CallPage} key=${route.callSid} callSid=${route.callSid} at=${route.at} visitor=${visitor} onSheet=${() => setSheet(true)} onSignedOut=${expel} />`
      : html`<${List} onSheet=${() => setSheet(true)} onSignedOut=${expel} />`}
    <${Sheet} isOpen=${isSheet} onClose=${() => setSheet(false)} />
  </div>`;
}

/** @param {{visitor: import("../entrance.js").Visitor, onLeave: () => void, onSheet: () => void}} props */
function TopBar({ visitor, onLeave, onSheet }) {
  const [look, setLook] = useState(theme);
  const turn = () => {
    chooseTheme(nextTheme());
    setLook(theme());
  };
  return html`<header class="topbar">
    <a class="brand" href=${CONSOLE} onClick=${follow}>Stayline</a>
    <nav class="grow" aria-label="Places"><a class="button quiet little" href=${`${ROOT}/phone`}>Phone</a></nav>
    <span class="soft small visitor">${[visitor.name, visitor.role].filter((one, index, all) => one && one.toLowerCase() !== all[index - 1]?.toLowerCase()).join(" · ")}${visitor.tenant && visitor.tenant !== "default" ? ` · ${visitor.tenant}` : ""}</span>
    <button type="button" class="button quiet little" onClick=${turn} aria-label=${`Colours: ${THEMES[look]}. Change`} title=${`Colours: ${THEMES[look]}`}>
      <span aria-hidden="true">◐</span>
    </button>
    <button type="button" class="button quiet little" onClick=${onSheet} aria-label="Keys"><span aria-hidden="true">?</span></button>
    <button type="button" class="button quiet little" onClick=${onLeave}>Sign out</button>
  </header>`;
}

// The address goes on while the page stays; its icon must not go along.
const icon = /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]"));
icon.setAttribute("href", icon.href);
render(html`<${Console} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
