/**
 * When to come back after a lost stream: which close codes mean "dial again", and after how long.
 */

/** The server's own word that the conversation is over. */
export const ENDED = 4000;

/** How a session comes back unless it is told otherwise. */
export const RECONNECT = {
  delaysMs: [0, 250, 500, 1000, 2000, 4000, 8000], // the last one is used again and again
  jitter: 0.3, // each wait is longer by up to this share, so that many callers do not come as one
  codes: [1001, 1005, 1006, 1011, 1012, 1013],
};

/** The waits of one loss, from the first try to the last. */
export class Retry {
  /** @param {Partial<typeof RECONNECT>} options */
  constructor(options = {}) {
    this._options = { ...RECONNECT, ...options };
    this._tries = 0;
    this._wake = () => undefined;
  }

  /**
   * Whether a close code is one to come back from.
   * @param {number} code
   */
  covers(code) {
    return this._options.codes.includes(code);
  }

  /** The stream stood for a while: the next loss begins with the shortest wait. */
  reset() {
    this._tries = 0;
  }

  /**
   * Wait for the next try, or until `now` is called.
   * @param {number} least_ms what the server asked for
   */
  wait(least_ms = 0) {
    const { delaysMs, jitter } = this._options;
    const delay = delaysMs[Math.min(this._tries, delaysMs.length - 1)] ?? 0;
    this._tries += 1;
    const ms = Math.max(delay * (1 + Math.random() * jitter), least_ms);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this._wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }

  /** Try at once. */
  now() {
    this._wake();
  }
}
