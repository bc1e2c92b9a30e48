"""The forms that Twilio posts to us, as typed values ("TwiML Voice: request parameters").

    form pairs --parse--------------> VoiceWebhook   /twiml/…: the door, and every action
    form pairs --parse_payment------> Payment        /twiml/paid
    form pairs --parse_call_status--> CallStatus     /callbacks/call
    form pairs --parse_stream_event-> StreamEvent    /callbacks/stream

Rules of this file:
1. Only a missing or impossible CallSid (or StreamSid), or a known field of absurd length, is refused.
   Everything else may be absent: Twilio adds parameters without notice and its callbacks may omit the full set.
2. A missing text is "", a missing or unreadable number is None. The first of repeated names counts.
3. Unknown parameters are kept, in their order, in `extra`; but not of a payment, where they tell of a card.
4. An error's sentence never quotes a value: it may hold a phone number or a caller's digits.
"""

import enum
import re
from collections.abc import Sequence

import msgspec

SID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,128}")  # look-alike carriers send UUIDs and the like
FIELD_CHARACTERS_MAX = 2_048  # a SIP address or a URL fits; more is not a telephone's doing
COUNT_PATTERN = re.compile(r"[0-9]{1,9}")  # nine digits of seconds are 31 years

OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})  # CallStatus, final
ANSWERED = frozenset({"completed", "answered"})  # DialCallStatus: a human was on the line

_CODE_IN_TEXT = re.compile(r"\bcode: ?([0-9]{4,6})\b")


class BadWebhook(ValueError):
    """A posted form can't be used. The message is one sentence for its sender, without values."""


class VoiceWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """What Twilio says when it asks for a document.

    `from_number` and `to_number` are as the carrier writes them: E.164, `anonymous`, `client:…` or a
    SIP address. `error_code` is there on the fallback URL, `dial_…` after a `<Dial>`, `recording_…`
    after a `<Record>`.
    """

    call_sid: str
    account_sid: str = ""
    from_number: str = ""
    to_number: str = ""
    call_status: str = ""
    direction: str = ""
    caller_name: str = ""
    forwarded_from: str = ""
    parent_call_sid: str = ""
    stir_verstat: str = ""
    digits: str = ""
    dial_status: str = ""
    dial_call_sid: str = ""
    dial_duration_s: int | None = None
    recording_url: str = ""
    recording_duration_s: int | None = None
    error_code: int | None = None
    error_url: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the call has ended, so that no document can reach the caller any more."""
        return self.call_status in OVER

    @property
    def is_dial_answered(self) -> bool:
        """Whether a human took the call that was dialled."""
        return self.dial_status in ANSWERED


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """How a `<Pay>` ended. `result` is Twilio's word, "" when it went on without one.

    `token` stands for the card: some connectors call it a profile. Number, date, codes and the processor's own
    words come along, and are not read.
    """

    call_sid: str
    result: str = ""
    token: str = ""
    error_code: int | None = None


class CallStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One call status callback. Their order is not guaranteed: compare `sequence_number` (from 0).

    `status` is Twilio's word (`ringing`, `completed` …; new ones pass), `duration_s` the call's seconds.
    """

    call_sid: str
    account_sid: str = ""
    status: str = ""
    sequence_number: int | None = None
    duration_s: int | None = None
    sip_response_code: int | None = None
    error_code: int | None = None
    timestamp: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether this status is a final one."""
        return self.status in OVER


class StreamChange(enum.Enum):
    """What a stream callback reports; `OTHER` is a word that Twilio has not documented yet."""

    STARTED = "stream-started"
    STOPPED = "stream-stopped"
    ERROR = "stream-error"
    OTHER = ""


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One `<Stream statusCallback>` request; of a failed handshake it is the only sign we see.

    `error_code` is read from `StreamErrorCode` (undocumented), else from the text in `StreamError`.
    `stream_sid` is "" when the carrier left it out.
    """

    call_sid: str
    stream_sid: str = ""
    account_sid: str = ""
    change: StreamChange = StreamChange.OTHER
    stream_name: str = ""
    error: str = ""
    error_code: int | None = None
    timestamp: str = ""
    extra: tuple[tuple[str, str], ...] = ()


class _Form:
    """A form's first values by name; what nobody asked for remains as `extra`."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._asked: set[str] = set()
        self._values: dict[str, str] = {}
        for name, value in pairs:
            self._values.setdefault(name, value)

    def text(self, name: str) -> str:
        """Return a field's text, "" when it is missing; BadWebhook when it is absurdly long."""
        self._asked.add(name)
        value = self._values.get(name, "")
        if len(value) > FIELD_CHARACTERS_MAX:
            raise BadWebhook(f"The form's {name} is longer than {FIELD_CHARACTERS_MAX} characters.")
        return value

    def count(self, name: str) -> int | None:
        """Return a field's whole number, None when it is missing or no such number."""
        value = self.text(name)
        return int(value) if COUNT_PATTERN.fullmatch(value) else None

    def sid(self, name: str) -> str:
        """Return an identifier, "" when it is missing; BadWebhook when it can't be one."""
        value = self.text(name)
        if value and not SID_PATTERN.fullmatch(value):
            raise BadWebhook(
                f"The form's {name} is not an identifier of 1 to 128 ASCII characters."
            )
        return value

    def call_sid(self) -> str:
        """Return the call's identifier, the one field that no form may lack."""
        value = self.sid("CallSid")
        if not value:
            raise BadWebhook("The form has no CallSid.")
        return value

    def extra(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs whose names were never asked for, repeated ones too."""
        return tuple((name, value) for name, value in self._pairs if name not in self._asked)


def parse(pairs: Sequence[tuple[str, str]]) -> VoiceWebhook:
    """Read the form of a voice webhook, an action or a fallback request; BadWebhook if unusable."""
    form = _Form(pairs)
    return VoiceWebhook(
        call_sid=form.call_sid(),
        account_sid=form.text("AccountSid"),
        from_number=form.text("From"),
        to_number=form.text("To"),
        call_status=form.text("CallStatus"),
        direction=form.text("Direction"),
        caller_name=form.text("CallerName"),
        forwarded_from=form.text("ForwardedFrom"),
        parent_call_sid=form.text("ParentCallSid"),
        stir_verstat=form.text("StirVerstat"),
        digits=form.text("Digits"),
        dial_status=form.text("DialCallStatus"),
        dial_call_sid=form.text("DialCallSid"),
        dial_duration_s=form.count("DialCallDuration"),
        recording_url=form.text("RecordingUrl"),
        recording_duration_s=form.count("RecordingDuration"),
        error_code=form.count("ErrorCode"),
        error_url=form.text("ErrorUrl"),
        extra=form.extra(),
    )


def parse_payment(pairs: Sequence[tuple[str, str]]) -> Payment:
    """Read the form that follows a `<Pay>`; BadWebhook if unusable."""
    form = _Form(pairs)
    return Payment(
        call_sid=form.call_sid(),
        result=form.text("Result"),
        token=form.text("PaymentToken") or form.text("ProfileId"),
        error_code=form.count("PayErrorCode"),
    )


def parse_call_status(pairs: Sequence[tuple[str, str]]) -> CallStatus:
    """Read the form of a call status callback; BadWebhook if unusable."""
    form = _Form(pairs)
    return CallStatus(
        call_sid=form.call_sid(),
        account_sid=form.text("AccountSid"),
        status=form.text("CallStatus"),
        sequence_number=form.count("SequenceNumber"),
        duration_s=form.count("CallDuration"),  # `Duration` is in minutes, and billed ones
        sip_response_code=form.count("SipResponseCode"),
        error_code=form.count("ErrorCode"),
        timestamp=form.text("Timestamp"),
        extra=form.extra(),
    )


def parse_stream_event(pairs: Sequence[tuple[str, str]]) -> StreamEvent:
    """Read the form of a stream status callback; BadWebhook if unusable."""
    form = _Form(pairs)
    error = form.text("StreamError")
    error_code = form.count("StreamErrorCode")
    if error_code is None and (found := _CODE_IN_TEXT.search(error)):
        error_code = int(found[1])
    return StreamEvent(
        call_sid=form.call_sid(),
        stream_sid=form.sid("StreamSid"),
        account_sid=form.text("AccountSid"),
        change=_change(form.text("StreamEvent")),
        stream_name=form.text("StreamName"),
        error=error,
        error_code=error_code,
        timestamp=form.text("Timestamp"),
        extra=form.extra(),
    )


def _change(word: str) -> StreamChange:
    try:
        return StreamChange(word)
    except ValueError:
        return StreamChange.OTHER
