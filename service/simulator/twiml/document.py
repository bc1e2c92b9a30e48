"""Reading TwiML as Twilio does: a document is a row of verbs, and a strange verb is only a warning.

    text -> `read` -> Document(verbs, warnings)        one error: DocumentError, when it is no TwiML at all

1. Names are case-sensitive, as in Twilio's schema.
2. A verb that Twilio does not know is a warning (12200) and is skipped; so is a wrong attribute value.
3. A verb that Twilio knows and a stand-in has no use for (Gather, Enqueue ...) is `Ignored`.
"""

import re
from collections.abc import Callable

import msgspec

from service.simulator.twiml.markup import DocumentError, Element, tree
from service.simulator.twiml.verbs import (
    DIAL_S,
    PAY_S,
    RECORD_S,
    SILENCE_S,
    Connect,
    Dial,
    Hangup,
    Ignored,
    Pause,
    Pay,
    PlayDigits,
    PlayUrl,
    Record,
    Redirect,
    Say,
    Start,
    Stop,
    Stream,
    Verb,
)

PARAMETER_LENGTH_MAX = 500  # name and value of a stream's parameter together stay under it
PAUSE_S_MAX = 600  # a longer pause would only hold the stand-in's line
INVALID = 12_200  # "Schema validation warning"
WRONG_TRACK = 31_941
PAY_WORDS = {
    "maxAttempts": ("1", "2", "3"),
    "tokenType": ("reusable", "one-time", "payment-method"),
    "paymentMethod": ("credit-card", "ach-debit"),
}
PAY_ASKS = ("securityCode", "postalCode")  # beside the number and its date, unless told not to
INBOUND = "inbound_track"  # the default

_UNPERFORMED = frozenset(
    [
        "Gather",
        "Enqueue",
        "Leave",
        "Refer",
        "Prompt",
        "Sms",
        "Message",
        "Queue",
        "Transcription",
        "Recording",
        "Siprec",
    ]
)


class Warned(msgspec.Struct, frozen=True):
    """What Twilio's console would show beside the call: its code and one sentence."""

    code: int
    text: str


class Document(msgspec.Struct, frozen=True):
    """What to do, in order, and what Twilio would complain about."""

    verbs: tuple[Verb, ...] = ()
    warnings: tuple[Warned, ...] = ()


def read(document: str | bytes) -> Document:
    """Read a TwiML document. Raises DocumentError, and nothing else, for what is none."""
    root = tree(document)
    if root.name != "Response":
        raise DocumentError(f"the document's root is <{root.name[:40]}>, not <Response>")
    warnings: list[Warned] = []
    verbs: list[Verb] = []
    for element in root.children:
        verb = _verb(element, warnings)
        if verb is not None:
            verbs.append(verb)
    return Document(tuple(verbs), tuple(warnings))


def _verb(element: Element, warnings: list[Warned]) -> Verb | None:
    reader = _READERS.get(element.name)
    if reader is not None:
        return reader(element, warnings)
    if element.name in _UNPERFORMED:
        return Ignored(element.name)
    warnings.append(Warned(INVALID, f"<{element.name[:40]}> is no verb"))
    return None


def _within(element: Element) -> Element | None:
    return next((child for child in element.children if child.name == "Stream"), None)


def _start(element: Element, warnings: list[Warned]) -> Verb | None:
    stream = _within(element)
    # The stand-in has one voice on the line, the caller's: it listens to no other track.
    if stream is None or stream.attributes.get("track", INBOUND) != INBOUND:
        return Ignored("Start")
    return Start(_stream(stream, warnings))


def _stop(element: Element, warnings: list[Warned]) -> Verb | None:
    stream = _within(element)
    if stream is None:
        return Ignored("Stop")
    if "name" not in stream.attributes:
        warnings.append(Warned(INVALID, "<Stop><Stream> names no stream"))
    return Stop(stream.attributes.get("name", ""))


def _connect(element: Element, warnings: list[Warned]) -> Verb | None:
    stream = _within(element)
    if stream is None:
        warnings.append(Warned(INVALID, "<Connect> holds no <Stream>"))
        return Ignored("Connect")
    if stream.attributes.get("track", INBOUND) != INBOUND:
        warnings.append(Warned(WRONG_TRACK, "a <Stream> in <Connect> has only the inbound track"))
    action = element.attributes.get("action", "")
    return Connect(_stream(stream, warnings), action, _method(element, "method", warnings))


def _stream(element: Element, warnings: list[Warned]) -> Stream:
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


def _play(element: Element, warnings: list[Warned]) -> Verb | None:
    digits = element.attributes.get("digits")
    if digits is None:
        return PlayUrl(element.text())
    if not re.fullmatch(r"[0-9A-Da-d#*w]+", digits):
        warnings.append(Warned(INVALID, "<Play digits> takes 0-9, A-D, #, * and w only"))
    return PlayDigits(digits)


def _pause(element: Element, warnings: list[Warned]) -> Verb | None:
    return Pause(min(_seconds_ms(element, "length", 1, warnings), 1_000 * PAUSE_S_MAX))


def _redirect(element: Element, warnings: list[Warned]) -> Verb | None:
    return Redirect(element.text(), _method(element, "method", warnings))


def _dial(element: Element, warnings: list[Warned]) -> Verb | None:
    action = element.attributes.get("action", "")
    timeout_ms = _seconds_ms(element, "timeout", DIAL_S, warnings)
    return Dial(element.words_within(), action, _method(element, "method", warnings), timeout_ms)


def _record(element: Element, warnings: list[Warned]) -> Verb | None:
    return Record(
        action=element.attributes.get("action", ""),
        method=_method(element, "method", warnings),
        length_ms=_seconds_ms(element, "maxLength", RECORD_S, warnings),
        silence_ms=_seconds_ms(element, "timeout", SILENCE_S, warnings),
        end_keys=element.attributes.get("finishOnKey", Record().end_keys),
    )


def _pay(element: Element, warnings: list[Warned]) -> Verb:
    told = element.attributes
    for name, taken in PAY_WORDS.items():
        if told.get(name, taken[0]) not in taken:
            warnings.append(Warned(INVALID, f"{name} of <Pay> is one of {', '.join(taken)}"))
    attempts = told.get("maxAttempts", "1")
    return Pay(
        action=told.get("action", ""),
        connector=told.get("paymentConnector", Pay().connector),
        attempts=int(attempts) if attempts in PAY_WORDS["maxAttempts"] else 1,
        key_pause_ms=_seconds_ms(element, "timeout", PAY_S, warnings),
        asks=tuple(name for name in PAY_ASKS if told.get(name, "true") == "true"),
    )


def _seconds_ms(element: Element, attribute: str, default_s: int, warnings: list[Warned]) -> int:
    text = element.attributes.get(attribute, str(default_s))
    if not re.fullmatch(r"[0-9]{1,6}", text):
        warnings.append(Warned(INVALID, f"{attribute} of <{element.name}> takes whole seconds"))
        return 1_000 * default_s
    return 1_000 * int(text)


def _method(element: Element, attribute: str, warnings: list[Warned]) -> str:
    method = element.attributes.get(attribute, "POST").upper()
    if method in {"GET", "POST"}:
        return method
    warnings.append(Warned(INVALID, f"{attribute} of <{element.name}> is GET or POST"))
    return "POST"


_READERS: dict[str, Callable[[Element, list[Warned]], Verb | None]] = {
    "Connect": _connect,
    "Dial": _dial,
    "Hangup": lambda *_: Hangup(),
    "Pause": _pause,
    "Pay": _pay,
    "Play": _play,
    "Record": _record,
    "Redirect": _redirect,
    "Reject": lambda *_: Hangup(),
    "Say": lambda element, _: Say(element.text()),
    "Start": _start,
    "Stop": _stop,
}
