/** The form that asks for a token, for whichever page needs one. */

import { signIn } from "./entrance.js";
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";

const WORDS = {
  0: "The server can't be reached just now. Please try again.",
  401: "This token isn't known here. Tokens are long, so copying it whole helps.",
};

/**
 * @param {{onEntered: (visitor: import("./entrance.js").Visitor) => void, why?: string}} props
 *   `why` is a sentence for whoever was signed in before
 */
export function SignIn({ onEntered, why = "" }) {
  const [wrong, setWrong] = useState("");
  const [isAsking, setIsAsking] = useState(false);
  const field = useRef(null);
  useEffect(() => field.current?.focus(), []);

  async function show(event) {
    event.preventDefault();
    const token = field.current.value.trim();
    if (!token) {
      setWrong("Please paste your token.");
      field.current.focus();
      return;
    }
    setIsAsking(true);
    try {
      onEntered(await signIn(token));
    } catch (trouble) {
      setWrong(WORDS[trouble.status] ?? trouble.message);
      setIsAsking(false);
      field.current?.focus();
      field.current?.select();
    }
  }

  return html`
    <main class="entrance">
      <form class="card stack" onSubmit=${show} novalidate>
        <span class="brand">Stayline</span>
        <h1>Sign in</h1>
        ${why && html`<p class="notice" role="status">${why}</p>`}
        <div class="field">
          <label for="token">Your token</label>
          <input id="token" class="input mono" type="password" name="token" ref=${field}
            autocomplete="current-password" spellcheck=${false} aria-invalid=${wrong ? "true" : "false"}
            aria-describedby="token-told" onInput=${() => setWrong("")} />
          <p id="token-told" class=${wrong ? "wrong" : "hint"} role="status">
            ${wrong || "Whoever runs this server gave it to you."}
          </p>
        </div>
        <button class="button primary" disabled=${isAsking}>${isAsking ? "One moment" : "Sign in"}</button>
      </form>
    </main>
  `;
}
