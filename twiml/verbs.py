"""What the call should do next, as TwiML documents ("TwiML Voice").

    <Response>
      <Connect action="RESUME" method="POST">            first way back: <Connect> has finished
        <Stream url="…"><Parameter name="…" value="…"/></Stream>
      </Connect>
      <Redirect method="POST">RESUME</Redirect>           second way back: the next verb
    </Response>

Rules of this file:
1. Every document that opens a stream has both ways back: with neither, a dropped stream ends the call.
   One that dials a human has them too, to what follows a dial; after a voicemail there is only the end.
2. Values come into a document through the official library's serializer only, never by joining text.
   Characters that XML 1.0 can't carry are left out; all others arrive byte for byte.
3. A document that Twilio would refuse is never returned: what may be shortened is, and reported; the rest is an error.
4. Characters are counted as UTF-16 units. Twilio says "characters" and not which; this count is the
   strictest of the usual ones.
"""

import re
from collections.abc import Mapping

import msgspec
from twilio.twiml.voice_response import Dial, VoiceResponse

from twiml import ear
from twiml.ear import Ear

PARAMETER_CHARACTERS_MAX = 499  # name and value together must be "under 500 characters"
SAY_CHARACTERS_MAX = 4_000  # <Say> takes 4 KB of text; an apology of five minutes is none
DOCUMENT_BYTES_MAX = 64_000  # error 11750: a response over 64 kB, in the smaller reading of kB
REST_TWIML_CHARACTERS_MAX = 4_000  # error 32018: TwiML inside a REST request
DIGITS_CHARACTERS_MAX = 100  # about half a second each: nearly a minute without a stream
DIAL_TIMEOUT_S = 30  # six rings; Twilio's own default
DIAL_TIMEOUT_S_MAX = 600  # Twilio's upper limit
VOICEMAIL_LENGTH_S = 120  # who it is, the number and the matter, twice over
VOICEMAIL_SILENCE_S = 5  # a pause for thought is shorter; Twilio's own default
PAUSE_S_MAX = 60  # a minute without a sound, and a caller has long hung up
PATIENT = "#rc=5&rp=all"  # five retries, whatever went wrong ("Webhooks: connection overrides")
VOICEMAIL_END_KEY = "#"  # by default any key ends a recording, even one that a cheek pressed

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNPLAYABLE = re.compile(r"[^0-9A-D*#w]")
_PHONE = re.compile(r"\+?[0-9]{3,15}")
_CLIENT = re.compile(r"client:([A-Za-z0-9_.@+-]{1,121})")
_SIP = re.compile(r"sips?:[A-Za-z0-9_.!~*'()%&=+$,;?/:@\[\]-]{1,250}")
_HTTP_URL = re.compile(r"https?://[^\s#]+")
_STREAM_URL = re.compile(r"wss?://[^\s?#]+")


class BadDigits(ValueError):
    """Digits that can't be played. The sentence names the place and never the digits themselves."""


class BadNumber(ValueError):
    """A number or address that can't be dialled. The sentence never quotes it."""


class DocumentTooLong(ValueError):
    """A document over the 64 kB that Twilio reads."""


class Door(msgspec.Struct, frozen=True):
    """The three URLs that a document needs, all absolute; ValueError when Twilio would refuse one.

    `resume_url` and `stream_status_url` are http(s), `stream_url` is ws(s) and has no query: Twilio
    drops it or fails the handshake with error 31920.
    """

    resume_url: str
    stream_url: str
    stream_status_url: str

    def __post_init__(self) -> None:
        check_webhook(self.resume_url)
        check_webhook(self.stream_status_url)
        if not _STREAM_URL.fullmatch(self.stream_url):
            raise ValueError("A stream's URL must be ws(s)://host/path, without a query.")


class Document(msgspec.Struct, frozen=True):
    """A finished document.

    `shortened` names the parameters that it carries not at all or not in full, because they were over
    500 characters or held what XML can't carry, and `text` if that is so of the text to say.
    """

    xml: str
    shortened: tuple[str, ...] = ()


def connect(door: Door, parameters: Mapping[str, str], listening: Ear | None = None) -> Document:
    """Open a stream that carries `parameters`: the answer to a new call, and to every resume."""
    response = ear.opened(door.stream_url, listening)
    return finished(response, _open_stream(response, door, parameters))


def play_digits(
    door: Door, digits: str, parameters: Mapping[str, str], listening: Ear | None = None
) -> Document:
    """Play DTMF to the far end, then open a stream again; BadDigits when they can't be played."""
    response = ear.opened(door.stream_url, listening)
    response.play(digits=playable_digits(digits))
    return finished(response, _open_stream(response, door, parameters))


def dial(
    number: str,
    *,
    after_url: str,
    text: str = "",
    caller_id: str = "",
    timeout_s: int = DIAL_TIMEOUT_S,
    language: str = "",
) -> Document:
    """Say `text` and put the caller through; afterwards, or if nobody answers, Twilio asks `after_url`.

    `number` is a phone number, `client:name` or a SIP address, `caller_id` a phone number or "" for the
    caller's own: BadNumber when one can't be dialled. `timeout_s` is the ringing time, 1 to 600 seconds.
    The request afterwards says how it went (`VoiceWebhook.dial_status`).
    """
    check_webhook(after_url)
    response = VoiceResponse()
    shortened = _say(response, text, language)
    _put_through(response, after_url, number, caller_id, timeout_s)
    return finished(response, shortened)


def voicemail(text: str, farewell: str, *, after_url: str, language: str = "") -> Document:
    """Say `text`, record what the caller says after the beep, then ask `after_url` what follows.

    The request afterwards bears `VoiceWebhook.recording_url`. When nothing was said Twilio asks nothing
    and goes on in this document ("TwiML Voice: Record"): with `farewell`, and the end of the call.
    """
    check_webhook(after_url)
    response = VoiceResponse()
    shortened = _say(response, text, language)
    response.record(
        action=after_url,
        method="POST",
        max_length=VOICEMAIL_LENGTH_S,
        timeout=VOICEMAIL_SILENCE_S,
        finish_on_key=VOICEMAIL_END_KEY,
        play_beep=True,
    )
    shortened += _say(response, farewell, language)
    response.hangup()
    return finished(response, shortened)


def say_and_hang_up(text: str, *, language: str = "") -> Document:
    """Say `text` and end the call."""
    response = VoiceResponse()
    shortened = _say(response, text, language)
    response.hangup()
    return finished(response, shortened)


def fallback(back_url: str, text: str, *, language: str = "") -> Document:
    """Say `text`, then ask `back_url`: what to answer when a webhook of ours has failed.

    It depends on nothing but its arguments, so it can be made once, before anything can fail. Twilio
    asks `back_url` again by itself when it fails; of what is signed that changes nothing.
    """
    check_webhook(back_url)
    response = VoiceResponse()
    shortened = _say(response, text, language)
    response.redirect(f"{back_url}{PATIENT}", method="POST")
    return finished(response, shortened)


def wait(back_url: str, pause_s: int, text: str = "", *, language: str = "") -> Document:
    """Say `text`, be silent for 1 to 60 seconds, then ask `back_url`, which may be away for a while."""
    check_webhook(back_url)
    if not 1 <= pause_s <= PAUSE_S_MAX:
        raise ValueError(f"A pause must be 1 to {PAUSE_S_MAX} seconds.")
    response = VoiceResponse()
    shortened = _say(response, text, language)
    response.pause(length=pause_s)
    response.redirect(back_url + PATIENT, method="POST")
    return finished(response, shortened)


def hang_up() -> Document:
    """End the call."""
    response = VoiceResponse()
    response.hangup()
    return finished(response)


def playable_digits(digits: str) -> str:
    """Return digits as `<Play>` takes them (0-9, A-D, *, # and w, half a second's pause).

    Lower-case a-d are raised. BadDigits when they are none, over 100, or hold anything else.
    """
    if not digits:
        raise BadDigits("There are no digits to play.")
    if len(digits) > DIGITS_CHARACTERS_MAX:
        raise BadDigits(f"At most {DIGITS_CHARACTERS_MAX} digits can be played at once.")
    raised = digits.translate(str.maketrans("abcd", "ABCD"))
    # What W does in <Play> is not documented; it is a pause of one second in REST requests.
    if "W" in raised:
        raise BadDigits("W is not a digit that can be played; write ww for a second's pause.")
    if found := _UNPLAYABLE.search(raised):
        place = found.start() + 1
        raise BadDigits(f"Only 0-9, A-D, *, # and w can be played; character {place} is no such.")
    return raised


def fits_rest_update(xml: str) -> bool:
    """Whether Twilio takes this document inside a REST call update; if not, send a URL instead."""
    return _units(xml) <= REST_TWIML_CHARACTERS_MAX


def _open_stream(
    response: VoiceResponse, door: Door, parameters: Mapping[str, str]
) -> tuple[str, ...]:
    """Add Connect and Redirect; return the names of the parameters not carried in full."""
    stream = response.connect(action=door.resume_url, method="POST").stream(
        url=door.stream_url,
        status_callback=door.stream_status_url,
        status_callback_method="POST",
    )
    shortened = []
    taken: set[str] = set()
    for name, value in parameters.items():
        sent_name = _NOT_XML.sub("", name)
        room = PARAMETER_CHARACTERS_MAX - _units(sent_name)
        sent_value = _cut(_NOT_XML.sub("", value), room)
        if (sent_name, sent_value) != (name, value):
            shortened.append(name)
        if room < 0 or sent_name in taken:
            continue  # a name that can't stand, or two names that differ only in what XML can't carry
        taken.add(sent_name)
        stream.parameter(name=sent_name, value=sent_value)
    response.redirect(door.resume_url, method="POST")
    return tuple(shortened)


def check_webhook(url: str) -> None:
    """Raise ValueError for what is no address of a webhook."""
    if not _HTTP_URL.fullmatch(url):
        raise ValueError("A webhook's URL must be absolute: http(s)://host/path.")


def _put_through(
    response: VoiceResponse, after_url: str, number: str, caller_id: str, timeout_s: int
) -> None:
    if caller_id and not _PHONE.fullmatch(caller_id):
        raise BadNumber("A caller ID must be a phone number of 3 to 15 digits.")
    if not 1 <= timeout_s <= DIAL_TIMEOUT_S_MAX:
        raise ValueError(f"The ringing time must be 1 to {DIAL_TIMEOUT_S_MAX} seconds.")
    verb = Dial(action=after_url, method="POST", timeout=timeout_s, caller_id=caller_id or None)
    if _PHONE.fullmatch(number):
        verb.number(number)
    elif client := _CLIENT.fullmatch(number):
        verb.client(client[1])
    elif _SIP.fullmatch(number):
        verb.sip(number)
    else:
        raise BadNumber(
            "Only a phone number of 3 to 15 digits, client:name or sip:address can be dialled."
        )
    response.append(verb)
    response.redirect(after_url, method="POST")


def _say(response: VoiceResponse, text: str, language: str) -> tuple[str, ...]:
    sent = _cut(_NOT_XML.sub("", text), SAY_CHARACTERS_MAX)
    if sent.strip():  # an empty <Say> is an error at Twilio, and silence says as much
        response.say(sent, language=language or None)
    return () if sent == text else ("text",)


def finished(response: VoiceResponse, shortened: tuple[str, ...] = ()) -> Document:
    """Return the document that is made; DocumentTooLong for one that Twilio does not read."""
    xml = str(response)
    if len(xml.encode()) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLong(
            f"The document is over {DOCUMENT_BYTES_MAX} bytes; Twilio reads no more."
        )
    return Document(xml, shortened)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, units: int) -> str:
    """Keep as many whole characters as fit into `units`, none when that is below zero."""
    kept = text.encode("utf-16-le")[: max(units, 0) * 2]
    return kept.decode("utf-16-le", "ignore")  # a pair cut in two loses its first half too
