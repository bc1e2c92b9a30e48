/**
 * One tab for one call. A duplicated tab has a copy of the first one's storage, and must not take its
 * call; a Web Lock, which ends with the page that holds it, tells the two apart.
 */

const WAIT_MS = 1_000; // A reloaded page lets go of its lock within this, even on a busy machine.

/**
 * Hold the call for this tab, until `release` or the end of the page.
 * @param {string} callSid
 * @returns {Promise<(() => void) | null>} release, or null when another tab has the call
 */
export function hold(callSid) {
  if (navigator.locks === undefined) return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    const held = () => new Promise((release) => resolve(() => release(undefined)));
    const signal = AbortSignal.timeout(WAIT_MS);
    navigator.locks.request(`stayline:${callSid}`, { signal }, held).catch(() => resolve(null));
  });
}

/**
 * Call `wake` whenever the network may have come back or gone.
 * @param {{online: () => void, offline: () => void, changed: () => void}} wake
 * @returns {() => void} stop listening
 */
export function watchNetwork(wake) {
  const ending = new AbortController();
  const { signal } = ending;
  const connection = navigator.connection;
  let kind = connection?.type;
  window.addEventListener("online", wake.online, { signal });
  window.addEventListener("offline", wake.offline, { signal });
  connection?.addEventListener?.(
    "change",
    () => {
      // The event also tells of mere changes in speed; another kind of network is another address.
      if (connection.type !== kind) wake.changed();
      kind = connection.type;
    },
    { signal },
  );
  return () => ending.abort();
}
