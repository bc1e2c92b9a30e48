"""The verbs of a TwiML document that the stand-in performs, as they were read."""

import msgspec

DIAL_S, RECORD_S, SILENCE_S, PAY_S = 30, 3_600, 5, 5  # Twilio's own defaults


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """The noun `<Stream>`; `url` comes without its query string, which Twilio drops too."""

    url: str
    name: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    status_callback: str = ""
    status_method: str = "POST"


class Connect(msgspec.Struct, frozen=True, tag=True):
    """Hand the call to a bidirectional stream; the verb ends with the stream."""

    stream: Stream
    action: str = ""
    method: str = "POST"


class Start(msgspec.Struct, frozen=True, tag=True):
    """Begin a stream that only listens; the next verb runs at once."""

    stream: Stream


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End the listening stream of this name."""

    name: str


class Redirect(msgspec.Struct, frozen=True, tag=True):
    """Go on with the document at `url`."""

    url: str
    method: str = "POST"


class PlayDigits(msgspec.Struct, frozen=True, tag=True):
    """Send DTMF to the other side; `w` waits half a second."""

    digits: str


class PlayUrl(msgspec.Struct, frozen=True, tag=True):
    """Play a recording; the stand-in fetches none."""

    url: str


class Say(msgspec.Struct, frozen=True, tag=True):
    """Speak a text with the carrier's own voice."""

    text: str


class Pause(msgspec.Struct, frozen=True, tag=True):
    """Wait."""

    length_ms: int = 1_000


class Hangup(msgspec.Struct, frozen=True, tag=True):
    """End the call (`<Reject>` ends it too)."""


class Dial(msgspec.Struct, frozen=True, tag=True):
    """Connect the caller to another party, which rings for at most `timeout_ms`."""

    number: str
    action: str = ""
    method: str = "POST"
    timeout_ms: int = 1_000 * DIAL_S


class Record(msgspec.Struct, frozen=True, tag=True):
    """Record the caller until a key, or for `silence_ms` nothing, or `length_ms` are over."""

    action: str = ""
    method: str = "POST"
    length_ms: int = 1_000 * RECORD_S
    silence_ms: int = 1_000 * SILENCE_S
    end_keys: str = "1234567890*#"


class Pay(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Have the caller key in a card, and ask `action` how to go on ("TwiML Voice: Pay")."""

    action: str = ""
    connector: str = "Default"
    attempts: int = 1
    key_pause_ms: int = 1_000 * PAY_S
    asks: tuple[str, ...] = ()


class Ignored(msgspec.Struct, frozen=True, tag=True):
    """A verb that is right and that the stand-in does not perform."""

    name: str


Verb = (
    Connect | Start | Stop | Redirect | PlayDigits | PlayUrl | Say | Pause | Hangup | Dial | Record
    | Pay | Ignored
)  # fmt: skip
