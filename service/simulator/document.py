"""Reading TwiML as Twilio does: a document is a row of verbs, and a strange verb is only a warning.

    text -> `read` -> Document(verbs, warnings)        one error: DocumentError, when it is no TwiML at all

1. Names are case-sensitive, as in Twilio's schema.
2. A verb that Twilio does not know is a warning (12200) and is skipped; so is a wrong attribute value.
3. A verb that Twilio knows and a stand-in has no use for (Gather, Record ...) is `Ignored`.
4. No document type declaration is accepted, so no entity can grow.
"""

import re
from collections.abc import Callable
from xml.parsers import expat

import msgspec

from service.errors import RemoteProtocolError

DOCUMENT_BYTES_MAX = 65_536  # error 11750: a TwiML response is at most 64 kB
DEPTH_MAX = 16  # no TwiML noun nests deeper than three
ELEMENTS_MAX = 1_000  # a document that needs more is no document for one call
PARAMETER_LENGTH_MAX = 500  # name and value of a stream's parameter together stay under it
PAUSE_S_MAX = 600  # a longer pause would only hold the stand-in's line
INVALID = 12_200  # "Schema validation warning"
WRONG_TRACK = 31_941

_UNPERFORMED = frozenset(
    [
        "Gather",
        "Record",
        "Enqueue",
        "Leave",
        "Refer",
        "Pay",
        "Prompt",
        "Sms",
        "Message",
        "Queue",
        "Transcription",
        "Recording",
        "Siprec",
    ]
)


class DocumentError(RemoteProtocolError):
    """The text is no TwiML document: no well-formed XML, or no `<Response>` (error 12100)."""


class Warned(msgspec.Struct, frozen=True):
    """What Twilio's console would show beside the call: its code and one sentence."""

    code: int
    text: str


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
    """Connect the caller to another party."""

    number: str
    action: str = ""
    method: str = "POST"


class Ignored(msgspec.Struct, frozen=True, tag=True):
    """A verb that is right and that the stand-in does not perform; `<Start>` and `<Stop>` among them."""

    name: str


Verb = Connect | Redirect | PlayDigits | PlayUrl | Say | Pause | Hangup | Dial | Ignored


class Document(msgspec.Struct, frozen=True):
    """What to do, in order, and what Twilio would complain about."""

    verbs: tuple[Verb, ...] = ()
    warnings: tuple[Warned, ...] = ()


class _Element:
    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[_Element] = []
        self.words: list[str] = []

    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def words_within(self) -> str:
        return self.text() or next(
            (c.words_within() for c in self.children if c.words_within()), ""
        )


def read(document: str | bytes) -> Document:
    """Read a TwiML document. Raises DocumentError, and nothing else, for what is none."""
    root = _tree(document)
    if root.name != "Response":
        raise DocumentError(f"the document's root is <{root.name[:40]}>, not <Response>")
    warnings: list[Warned] = []
    verbs: list[Verb] = []
    for element in root.children:
        verb = _verb(element, warnings)
        if verb is not None:
            verbs.append(verb)
    return Document(tuple(verbs), tuple(warnings))


def _tree(document: str | bytes) -> _Element:
    raw = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise DocumentError(f"the document is longer than {DOCUMENT_BYTES_MAX} bytes")
    top = _Element("", {})
    open_elements = [top]
    counted = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal counted
        counted += 1
        if counted > ELEMENTS_MAX or len(open_elements) > DEPTH_MAX:
            raise DocumentError("the document has too many elements or nests too deep")
        element = _Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def write(text: str) -> None:
        open_elements[-1].words.append(text)

    def refuse(*_: object) -> None:
        raise DocumentError("the document has a document type declaration")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _: open_elements.pop()
    parser.CharacterDataHandler = write
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)  # noqa: FBT003  the C parser takes no keywords
    except expat.ExpatError as error:
        raise DocumentError(f"the document is no well-formed XML: {error}") from error
    return top.children[0]


def _verb(element: _Element, warnings: list[Warned]) -> Verb | None:
    reader = _READERS.get(element.name)
    if reader is not None:
        return reader(element, warnings)
    if element.name in _UNPERFORMED:
        return Ignored(element.name)
    warnings.append(Warned(INVALID, f"<{element.name[:40]}> is no verb"))
    return None


def _connect(element: _Element, warnings: list[Warned]) -> Verb | None:
    stream = next((child for child in element.children if child.name == "Stream"), None)
    if stream is None:
        warnings.append(Warned(INVALID, "<Connect> holds no <Stream>"))
        return Ignored("Connect")
    if stream.attributes.get("track", "inbound_track") != "inbound_track":
        warnings.append(Warned(WRONG_TRACK, "a <Stream> in <Connect> has only the inbound track"))
    action = element.attributes.get("action", "")
    return Connect(_stream(stream, warnings), action, _method(element, "method", warnings))


def _stream(element: _Element, warnings: list[Warned]) -> Stream:
    url, mark, _ = element.attributes.get("url", "").strip().partition("?")
    if not url:
        warnings.append(Warned(INVALID, "<Stream> has no url"))
    if mark:
        warnings.append(Warned(INVALID, "the url of <Stream> has a query string, which is dropped"))
    parameters = []
    for child in element.children:
        if child.name != "Parameter":
            warnings.append(Warned(INVALID, f"<{child.name[:40]}> does not belong in <Stream>"))
            continue
        name, value = child.attributes.get("name", ""), child.attributes.get("value", "")
        if not name or len(name) + len(value) >= PARAMETER_LENGTH_MAX:
            warnings.append(
                Warned(INVALID, f"<Parameter name={name[:40]!r}> is nameless or too long")
            )
        parameters.append((name, value))
    return Stream(
        url=url,
        name=element.attributes.get("name", ""),
        parameters=tuple(parameters),
        status_callback=element.attributes.get("statusCallback", ""),
        status_method=_method(element, "statusCallbackMethod", warnings),
    )


def _play(element: _Element, warnings: list[Warned]) -> Verb | None:
    digits = element.attributes.get("digits")
    if digits is None:
        return PlayUrl(element.text())
    if not re.fullmatch(r"[0-9A-Da-d#*w]+", digits):
        warnings.append(Warned(INVALID, "<Play digits> takes 0-9, A-D, #, * and w only"))
    return PlayDigits(digits)


def _pause(element: _Element, warnings: list[Warned]) -> Verb | None:
    length = element.attributes.get("length", "1")
    if not re.fullmatch(r"[0-9]{1,6}", length):
        warnings.append(Warned(INVALID, "<Pause length> takes whole seconds"))
        return Pause()
    return Pause(1_000 * min(int(length), PAUSE_S_MAX))


def _redirect(element: _Element, warnings: list[Warned]) -> Verb | None:
    return Redirect(element.text(), _method(element, "method", warnings))


def _dial(element: _Element, warnings: list[Warned]) -> Verb | None:
    action = element.attributes.get("action", "")
    return Dial(element.words_within(), action, _method(element, "method", warnings))


def _method(element: _Element, attribute: str, warnings: list[Warned]) -> str:
    method = element.attributes.get(attribute, "POST").upper()
    if method in {"GET", "POST"}:
        return method
    warnings.append(Warned(INVALID, f"{attribute} of <{element.name}> is GET or POST"))
    return "POST"


_READERS: dict[str, Callable[[_Element, list[Warned]], Verb | None]] = {
    "Connect": _connect,
    "Dial": _dial,
    "Hangup": lambda *_: Hangup(),
    "Pause": _pause,
    "Play": _play,
    "Redirect": _redirect,
    "Reject": lambda *_: Hangup(),
    "Say": lambda element, _: Say(element.text()),
    "Start": lambda *_: Ignored("Start"),
    "Stop": lambda *_: Ignored("Stop"),
}
