/**
 * What the browser keeps, and nothing secret in it.
 *
 *     the tab (sessionStorage)       call_sid, the one-use recovery token, windows, times
 *     the visitor (localStorage)     what they last wrote into the form
 *
 * No audio, no transcript, no stream token and no key is ever stored. A browser that lets us store
 * nothing still makes calls; they end with the page.
 */

const CALL = "stayline:call";
const VISITOR = "stayline:visitor";
const KNOWN_PARAMETERS = ["client_name", "company", "ticket_id"];

/**
 * @typedef {{call_sid: string, recovery: string, attempt: string | null, parameters: Record<string, string>, windows: {reload_s: number, resume_s: number},
 *            alive_at: number, live_at: number, left_at: number | null, acted_at: number}} Kept
 */

/** The two stores, and what stands in them. */
export class Memory {
  /**
   * @param {Storage | undefined} tab defaults to sessionStorage
   * @param {Storage | undefined} visitor defaults to localStorage
   */
  constructor(tab, visitor) {
    this._tab = tab ?? allowed(() => window.sessionStorage);
    this._visitor = visitor ?? allowed(() => window.localStorage);
  }

  /**
   * The call of this tab, or null.
   * @returns {Kept | null}
   */
  call() {
    const kept = read(this._tab, CALL);
    const is_whole = typeof kept?.call_sid === "string" && typeof kept.recovery === "string";
    return is_whole && Number.isFinite(kept.windows?.resume_s) ? kept : null;
  }

  /** @param {Kept} kept */
  keep(kept) {
    write(this._tab, CALL, kept);
  }

  /** Forget the call of this tab. */
  forget() {
    allowed(() => this._tab?.removeItem(CALL));
  }

  /**
   * What the visitor wrote when they called last.
   * @returns {Record<string, string>}
   */
  visitor() {
    return chosen(read(this._visitor, VISITOR) ?? {});
  }

  /** @param {Record<string, string>} parameters what the visitor wrote */
  know(parameters) {
    write(this._visitor, VISITOR, chosen(parameters));
  }
}

/**
 * Only what a call is opened with; an embedding page may hold more, which is not ours to send or keep.
 * @param {Record<string, unknown>} parameters
 * @returns {Record<string, string>}
 */
export function chosen(parameters) {
  const known = KNOWN_PARAMETERS.filter((name) => typeof parameters[name] === "string");
  return Object.fromEntries(known.map((name) => [name, parameters[name]]));
}

function read(store, key) {
  return allowed(() => JSON.parse(store?.getItem(key) ?? "null"));
}

function write(store, key, value) {
  allowed(() => store?.setItem(key, JSON.stringify(value)));
}

/** A browser that forbids storage throws at every touch; that is the same as an empty store. */
function allowed(touch) {
  try {
    return touch() ?? null;
  } catch {
    return null;
  }
}
