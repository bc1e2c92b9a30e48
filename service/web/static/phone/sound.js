/**
 * The browser's microphone and loudspeaker, as one line at 8 kHz.
 *
 * Rules. 1. The audio thread does the work; here is only what needs the page: leave to listen, and
 * leave to sound. 2. Muted means that the microphone is off and silence is sent: the server goes on
 * seeing an ordinary stream. 3. A microphone that is pulled out is looked for again.
 */

const LATENCY_MS_MAX = 400; // A headset by radio; what claims to be slower is not believed.
const TOUCH_MS = 400; // A browser that lets us sound does so within this; else it wants a touch.
const LISTEN = {
  channelCount: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

/** Why there is no sound: in words for people. */
export class NoSound extends Error {}

/** The line's end in this browser. */
export class Sound {
  /**
   * @param {{frame: (bytes: Uint8Array, index: number) => void, heard: (names: string[]) => void,
   *          sounded: () => void, level: (who: "caller" | "ours", level: number) => void,
   *          trouble: (words: string) => void}} listener
   */
  constructor(listener) {
    this._listener = listener;
    this._is_muted = false;
    this._is_closed = false;
  }

  /**
   * Ask for the microphone and build the line. Sound may still wait for a touch of the page.
   * @throws {NoSound}
   */
  async open() {
    if (!window.isSecureContext || navigator.mediaDevices === undefined) {
      throw new NoSound("A browser gives its microphone only to pages that come over https.");
    }
    if (this._context && this._context.state !== "closed") void this._context.close();
    this._context = new AudioContext({ latencyHint: "interactive" });
    const worklet = new URL("./worklet.js", import.meta.url);
    const [stream] = await Promise.all([
      listen(),
      this._context.audioWorklet.addModule(worklet.href).catch(() => {
        throw new NoSound("The phone could not be loaded whole. Please try again in a moment.");
      }),
    ]);
    this._build();
    this._attach(stream);
  }

  /**
   * Wait until the browser lets us sound.
   * @param {() => void} wanting called when it wants a touch of the page first
   */
  async start(wanting) {
    const context = this._context;
    if (context.state === "running" || context.state === "closed") return;
    const timer = setTimeout(wanting, TOUCH_MS);
    await new Promise((resolve) => {
      context.onstatechange = () => context.state !== "suspended" && resolve(undefined);
      void context.resume();
    });
    clearTimeout(timer);
  }

  /** Ask the browser to let us sound; inside a touch or a key it does. */
  async resume() {
    await this._context?.resume();
  }

  /** A new stream begins: what was not played is thrown away, and its marks with it. */
  fresh() {
    this._mouth?.port.postMessage({ fresh: true });
  }

  /** @param {{event: string, bytes?: Uint8Array, name?: string}} message of the server */
  play(message) {
    const port = this._mouth?.port;
    if (message.event === "media") port?.postMessage({ put: message.bytes }, [message.bytes.buffer]);
    else if (message.event === "mark") port?.postMessage({ mark: message.name });
    else if (message.event === "clear") port?.postMessage({ clear: true });
  }

  /** @param {boolean} is_muted */
  mute(is_muted) {
    this._is_muted = is_muted;
    for (const track of this._stream?.getAudioTracks() ?? []) track.enabled = !is_muted;
  }

  /** Let go of the microphone and the loudspeaker. */
  close() {
    this._is_closed = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this._search);
    this._release();
    this._ear?.port.postMessage({ close: true });
    this._mouth?.port.postMessage({ close: true });
    if (this._context && this._context.state !== "closed") void this._context.close();
  }

  _build() {
    const context = this._context;
    const one = { channelCount: 1, channelCountMode: "explicit", numberOfOutputs: 0 };
    this._ear = new AudioWorkletNode(context, "stayline-microphone", one);
    this._ear.port.onmessage = ({ data }) => {
      this._listener.frame(data.frame, data.index);
      this._listener.level("caller", data.level);
    };
    const two = { numberOfInputs: 0, outputChannelCount: [1] };
    this._mouth = new AudioWorkletNode(context, "stayline-loudspeaker", two);
    this._mouth.port.onmessage = ({ data }) => this._told(data);
    this._mouth.connect(context.destination);
    this._search = () => void this._listenAgain();
  }

  _told(data) {
    if (data.heard) this._listener.heard(data.heard);
    else if (data.sound) this._listener.sounded();
    else if (data.level !== undefined) {
      this._listener.level("ours", data.level);
      this._tellLatency();
    }
  }

  /** What the hardware holds is not heard yet; a mark comes back only after it. */
  _tellLatency() {
    const { baseLatency = 0, outputLatency = 0 } = this._context;
    const latency_ms = Math.min(Math.round((baseLatency + outputLatency) * 1000), LATENCY_MS_MAX);
    if (latency_ms === this._latency_ms) return;
    this._latency_ms = latency_ms;
    this._mouth.port.postMessage({ latency_ms });
  }

  _attach(stream) {
    this._stream = stream;
    this._source = this._context.createMediaStreamSource(stream);
    this._source.connect(this._ear);
    this.mute(this._is_muted);
    for (const track of stream.getAudioTracks()) track.onended = () => this._lose();
    if (this._is_closed) this._release();
  }

  _lose() {
    this._listener.trouble("The microphone is gone. Plug one in, and the call goes on.");
    navigator.mediaDevices.addEventListener("devicechange", this._search);
    this._search();
  }

  async _listenAgain() {
    const stream = await listen().catch(() => null);
    if (stream === null || this._is_closed) return;
    navigator.mediaDevices.removeEventListener("devicechange", this._search);
    this._release();
    this._attach(stream);
  }

  _release() {
    this._source?.disconnect();
    for (const track of this._stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
  }
}

/** Ask for the microphone; the browser asks the person. */
async function listen() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: LISTEN });
  } catch (trouble) {
    if (trouble.name === "NotAllowedError") {
      throw new NoSound("The microphone is blocked. Allow it for this page, then call again.");
    }
    if (trouble.name === "NotFoundError") {
      throw new NoSound("No microphone was found. Plug one in, then call again.");
    }
    throw new NoSound("The microphone can't be used. Another program may hold it.");
  }
}
