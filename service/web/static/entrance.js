/**
 * Who is signed in, in words of the server: every page's way through the door.
 *
 * The token is shown to the server once and kept nowhere here; the badge is a cookie that no script can read.
 */

/**
 * @typedef {object} Visitor
 * @property {"viewer" | "agent" | "admin"} role
 * @property {string} tenant
 * @property {string} name
 * @property {boolean} named the token is one person's, and `name` is theirs; else it is the role's
 * @property {string | null} expires_at
 */

/**
 * The path of the place that these pages are at: "" on a host of their own, "/calls" inside another application.
 * Files know it by where they came from, so that no page has to be told.
 */
export const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);

/** An answer of the server that is no success: its status, and its one sentence for people. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when no answer came
   * @param {string} detail
   * @param {object} body the whole problem document
   */
  constructor(status, detail, body = {}) {
    super(detail);
    this.status = status;
    this.body = body;
  }
}

/**
 * Ask the server; what changes something carries the header that no other site's form can send.
 * @param {string} path from ROOT on
 * @param {{method?: string, body?: object, signal?: AbortSignal, keepalive?: boolean}} [options]
 * @returns {Promise<any>} the JSON of the answer, null where it has none
 * @throws {Problem} for any other answer, and for none
 */
export async function ask(path, { method = "GET", body, signal, keepalive } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-Stayline"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(ROOT + path, { method, headers, body: text, signal, keepalive, credentials: "same-origin" });
  } catch (trouble) {
    if (trouble.name === "AbortError") throw trouble;
    throw new Problem(0, "The server can't be reached.");
  }
  const told = await answer.text();
  const parsed = parsedOrNull(told);
  if (!answer.ok) throw new Problem(answer.status, parsed?.detail ?? "The server could not do that.", parsed ?? {});
  return parsed;
}

/** @param {string} text */
function parsedOrNull(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/**
 * Who is signed in.
 * @returns {Promise<Visitor | null>} null when nobody is
 */
export async function whoAmI() {
  try {
    return await ask("/api/session");
  } catch (trouble) {
    if (trouble.status === 401) return null;
    throw trouble;
  }
}

/**
 * Show a token and get in.
 * @param {string} token
 * @returns {Promise<Visitor>}
 */
export async function signIn(token) {
  await ask("/api/session", { method: "POST", body: { token } });
  return ask("/api/session");
}

/** Get out: what this badge keeps open ends. */
export async function signOut() {
  await ask("/api/session", { method: "DELETE" });
}

/**
 * Take a token out of the address (`#token=…`), and the address out of the history. A fragment is sent to no
 * server, and so stands in no log.
 * @returns {string} the token, "" when there is none
 */
export function takeToken() {
  const found = /^#token=([^&]+)$/.exec(location.hash);
  if (!found) return "";
  history.replaceState(history.state, "", location.pathname + location.search);
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return ""; // A link that was cut short in the middle of a letter.
  }
}

/**
 * Who may use this page: by the token in the address if there is one, else by the badge.
 * @returns {Promise<Visitor | null>} null when a token must be asked for
 */
export async function enter() {
  const token = takeToken();
  if (!token) return whoAmI();
  try {
    return await signIn(token);
  } catch (trouble) {
    if (trouble.status === 401) return whoAmI(); // An old link; the badge may still be good.
    throw trouble;
  }
}
