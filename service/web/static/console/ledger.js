// Counts what came over a feed, so that "no gap, no duplicate" can be seen and not only promised.

/** Keeps the offset of one call's records: which was last, and what was wrong on the way. */
export class Ledger {
  constructor() {
    this.incarnation = "";
    this.position = 0;
    this.records = 0;
    this.duplicates = 0;
    this.gaps = 0;
    this.resets = 0;
  }

  /** The offset to go on from, as the server writes it. @returns {string} */
  get offset() {
    return `${this.incarnation}:${this.position}`;
  }

  /**
   * Begins at a known place: everything up to it is known already.
   * @param {string} incarnation
   * @param {number} position
   */
  begin(incarnation, position) {
    this.incarnation = incarnation;
    this.position = position;
  }

  /**
   * The journal is another one now: everything is told again from the start.
   * @param {string} incarnation
   */
  reset(incarnation) {
    this.begin(incarnation, 0);
    this.resets += 1;
  }

  /**
   * Says whether a record is new. A record that was seen is a duplicate; one that skips a position
   * leaves a gap, which is counted.
   * @param {number} position
   * @returns {boolean}
   */
  accept(position) {
    if (position <= this.position) {
      this.duplicates += 1;
      return false;
    }
    if (position > this.position + 1) this.gaps += 1;
    this.position = position;
    this.records += 1;
    return true;
  }

  /** Writes the counts where tests and the curious can read them. @param {HTMLElement} element */
  publish(element) {
    for (const name of /** @type {const} */ (["records", "duplicates", "gaps", "resets", "position"])) {
      element.dataset[name] = String(this[name]);
    }
  }
}
