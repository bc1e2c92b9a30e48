// Everything that the console says in words: phases, causes, lengths of time. One place, so that the
// list, the timeline, the transcript and the table say the same of the same thing.

/** @type {Record<string, string>} */
const PHASES = { ringing: "Ringing", live: "Live", detached: "Cut off, waiting", ended: "Ended" };

/** @type {Record<string, string>} */
const CAUSES = {
  new: "first stream",
  drop: "dropped",
  dtmf: "planned: digits sent, or a card collected",
  deploy: "planned: moved server",
  crash: "server crashed",
  duplicate: "second stream",
};

/** @type {Record<string, string>} */
const REASONS = {
  stop: "the carrier stopped it",
  closed: "the connection closed",
  idle: "nothing came any more",
  left: "the page was left or reloaded",
  replaced: "another stream took over",
  restart: "restarted on purpose",
  shutdown: "the server shut down",
  error: "the carrier reported an error",
};

/** @type {Record<string, string>} */
const WHOS = { caller: "Caller", agent: "Agent", human: "Person" };

/** @type {Record<string, string>} */
const STATUSES = {
  pending: "at work",
  succeeded: "done",
  failed: "failed",
  timed_out: "took too long",
  unknown: "outcome unknown",
};

/** @type {Record<string, string>} */
const LOSSES = {
  state_missing: "What was known of the call was gone",
  fold_mismatch: "What was gone on with was not what the records give",
  asked_again: "Asked again what was answered",
  told_already: "The caller says they told it before",
};

/** @param {string} phase @returns {string} */
export const phaseWord = (phase) => PHASES[phase] ?? spaced(phase);

/** Why a stream began. @param {string} cause @returns {string} */
export const causeWord = (cause) => CAUSES[cause] ?? spaced(cause || "unknown");

/** Why a stream ended. @param {string} reason @returns {string} */
export function reasonWord(reason) {
  const code = /^closed ([0-9]{4})$/.exec(reason ?? "");
  return code ? `${REASONS.closed} (${code[1]})` : (REASONS[reason] ?? spaced(reason));
}

/** @param {string} who @returns {string} */
export const whoWord = (who) => WHOS[who] ?? spaced(who);

/** @param {string} status @returns {string} */
export const statusWord = (status) => STATUSES[status] ?? spaced(status);

/** Where the talk shows that something of it was lost. @param {string} kind @returns {string} */
export const lossWord = (kind) => LOSSES[kind] ?? spaced(kind);

/** A name of the journal as words: `look_up_ticket` is "look up ticket". @param {string} name */
export const spaced = (name) => String(name ?? "").replaceAll("_", " ");

/** A short length: "0.4 s", "12 s", "3 min 5 s". @param {number} ms @returns {string} */
export function span(ms) {
  if (!Number.isFinite(ms) || ms < 0) return "–";
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A running time: "2:07", "1:02:07". @param {number} ms @returns {string} */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** The time of day of a moment, in the reader's own zone. @param {number} ms @returns {string} */
export function timeOfDay(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/** How long ago, coarsely, so that a wall of calls does not flicker. @param {number} ms */
export function ago(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds - (seconds % 5)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}

/** "1 drop", "3 drops". @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Milliseconds since the epoch of an RFC 3339 time; NaN for none. @param {string | null} at */
export const moment = (at) => (at ? Date.parse(at) : Number.NaN);

/** Who calls, as well as it is known. @param {{client_name?: string, company?: string, from?: string}} call */
export const callerName = (call) => call.client_name || call.company || call.from || "Unknown caller";
