/**
 * One media stream over one WebSocket, in the words of Twilio's Media Streams messages, so that the
 * server sees an ordinary stream.
 *
 *     us:      connected, start, media…, dtmf, mark (echo), stop
 *     server:  media, mark, clear
 *
 * Counters are strings, because Twilio's are. A message that is none of these three, or for another
 * stream, is passed over.
 */

const OPEN_MS_MAX = 5_000; // A socket that does not open by then is given up and tried anew.
const WAITING_BYTES_MAX = 64_000; // About 4 s of frames that the network does not take.
const STUCK_MS_MAX = 4_000; // Not a byte of them left for so long: the way is dead, nobody told us.
const FRAME_MS = 20;

/** Codes of our own that no socket has: why we gave up. */
export const GIVEN_UP = 1006;

/** One stream. Dispatches nothing: it calls what it was given. */
export class Wire {
  /**
   * @param {{url: string, token: string, callSid: string, parameters: Record<string, string>}} ticket
   * @param {{opened: () => void, told: (message: object) => void,
   *          closed: (code: number, reason: string) => void}} listener `closed` is called once
   */
  constructor(ticket, listener) {
    this._ticket = ticket;
    this._listener = listener;
    this.streamSid = `MZ${hex(16)}`;
    this._sequence = 0;
    this._chunk = 0;
    this._first = -1;
    this._is_over = false;
    this._stuck_since = 0;
    this._stuck_bytes = 0;
    this._socket = new WebSocket(ticket.url);
    this._socket.onopen = () => this._begin();
    this._socket.onmessage = ({ data }) => this._read(data);
    this._socket.onclose = ({ code, reason }) => this._over(code, reason);
    this._timer = setTimeout(() => this.drop("it did not open in time"), OPEN_MS_MAX);
  }

  /** Whether messages can be sent. */
  get is_open() {
    return !this._is_over && this._socket.readyState === WebSocket.OPEN;
  }

  /**
   * Send 20 ms of sound. Frames that the network doesn't take are lost, and the counter shows it.
   * @param {Uint8Array} bytes mu-law
   * @param {number} index the frame's number by the microphone's own count
   */
  media(bytes, index) {
    if (!this.is_open || this._is_stuck()) return;
    if (this._first < 0) this._first = index;
    this._chunk += 1;
    const timestamp = String((index - this._first) * FRAME_MS);
    const payload = base64(bytes);
    const media = { track: "inbound", chunk: String(this._chunk), timestamp, payload };
    this._send({ event: "media", media });
  }

  /** @param {string} digit one of 0-9, * and # */
  dtmf(digit) {
    this._send({ event: "dtmf", dtmf: { track: "inbound_track", digit } });
  }

  /** @param {string} name a mark whose sound was heard, or that was cleared */
  echo(name) {
    this._send({ event: "mark", mark: { name } });
  }

  /** End the stream in order, as a phone that is put down; `closed` is not called. */
  stop() {
    this._send({ event: "stop", stop: { accountSid: "", callSid: this._ticket.callSid } });
    this._silence();
    this._socket.close(1000, "hung up");
  }

  /**
   * Give the socket up without waiting for anybody; `closed` is called at once.
   * @param {string} why
   */
  drop(why) {
    this._socket.close();
    this._over(GIVEN_UP, why);
  }

  _begin() {
    clearTimeout(this._timer);
    const { callSid, token, parameters } = this._ticket;
    const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };
    const customParameters = { ...parameters, token };
    const start = { accountSid: "", streamSid: this.streamSid, callSid, tracks: ["inbound"] };
    this._socket.send(JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }));
    this._send({ event: "start", start: { ...start, mediaFormat, customParameters } });
    this._listener.opened();
  }

  _read(text) {
    if (this._is_over) return;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return; // A message that can't be read changes nothing, as at Twilio.
    }
    if (message.streamSid !== undefined && message.streamSid !== this.streamSid) return;
    if (message.event === "media" && typeof message.media?.payload === "string") {
      this._listener.told({ event: "media", bytes: bytes(message.media.payload) });
    } else if (message.event === "mark" && typeof message.mark?.name === "string") {
      this._listener.told({ event: "mark", name: message.mark.name });
    } else if (message.event === "clear") {
      this._listener.told({ event: "clear" });
    }
  }

  _send(message) {
    if (!this.is_open) return;
    this._sequence += 1;
    const sequenceNumber = String(this._sequence);
    this._socket.send(JSON.stringify({ ...message, sequenceNumber, streamSid: this.streamSid }));
  }

  /** Whether frames pile up; a pile that does not shrink for long ends the stream. */
  _is_stuck() {
    const waiting = this._socket.bufferedAmount;
    if (waiting < WAITING_BYTES_MAX) {
      this._stuck_since = 0;
      return false;
    }
    const now = performance.now();
    if (this._stuck_since === 0 || waiting < this._stuck_bytes) this._stuck_since = now;
    this._stuck_bytes = waiting;
    if (now - this._stuck_since > STUCK_MS_MAX) this.drop("the network takes nothing any more");
    return true;
  }

  _over(code, reason) {
    if (this._is_over) return;
    this._silence();
    this._listener.closed(code, reason);
  }

  _silence() {
    clearTimeout(this._timer);
    this._is_over = true;
  }
}

/**
 * Return so many random bytes as hexadecimal digits.
 * @param {number} count
 */
export function hex(count) {
  const drawn = crypto.getRandomValues(new Uint8Array(count));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function base64(raw) {
  return btoa(String.fromCharCode(...raw));
}

function bytes(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array(0); // Not base64: no sound in it.
  }
}
