"""What the stand-in knows before a call: the account, its phone number, and how this carrier behaves.

Real carriers differ in what a page of Twilio leaves open, so each open question is a term that can be
set either way: are marks echoed, also by `clear`; is a cut verb's action asked too.
"""

import enum
import secrets
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec

from service.simulator.answering import Party

_SOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_PLAIN_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Account(msgspec.Struct, frozen=True):
    """An account's SID and the token that signs for it."""

    account_sid: str
    auth_token: str


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take at the carrier's side, in milliseconds."""

    say_ms_per_letter: int = 60  # about 150 English words a minute
    say_ms_max: int = 10_000  # a stand-in reads no novels
    digit_ms: int = 200  # one tone and the gap after it
    wait_ms: int = 500  # `w` in <Play digits> ("TwiML Voice: Play")
    ring_ms: int = 1_000  # until the other party answers, or is given up; a stand-in is impatient
    dial_ms: int = 1_000  # how long the other party talks
    silence_ms: int = 1_000  # after which a recording of nobody is given up
    redial_ms: int = 1_000  # before the first redial of the same stream; doubles with each
    notice_ms: int = 1_000  # until the carrier sees that a stream is half-open
    turn_ms: int = (
        700  # from a stream's end to the next document; 730 ms to the next socket were seen
    )
    hold_ms: int = 5_000  # how long the half-open socket then stays; Twilio's stayed for 2 min
    prompt_ms: int = 2_000  # one question of <Pay>; who keys before its end is heard
    connector_ms: int = 500  # until the payment processor answers
    late_ms: int = 200  # from the new stream's `start` to the old one's late `stop`


class AfterError(enum.Enum):
    """What the carrier does after a stream's abnormal end; Twilio's pages do not say."""

    ACTION = "action"  # the action of its <Connect> is asked, as after any end
    VERB = "verb"  # the next verb runs
    NOTHING = "nothing"  # the call hangs in the air until a REST update takes it


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How this carrier behaves where carriers differ."""

    clear_echoes: bool = True  # `clear` sends the pending marks back
    echoes: bool = True  # marks are echoed at all
    action_on_cut: bool = False  # a REST update of a <Connect action> asks the action as well
    after_error: AfterError = AfterError.ACTION
    party: Party = Party()  # who answers when the service dials
    pay: str = "success"  # how a <Pay> comes out whose numbers are right; see till.py
    message_ms: int = 3_000  # what the caller says after a beep; 0: nothing
    parameters: tuple[tuple[str, str], ...] = ()  # what the carrier adds to the stream's own
    pace: Pace = Pace()


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A phone number of the account: where its calls are handed to. A path may be a whole URL, too."""

    server_url: str  # where the service really listens
    public_url: str = (
        ""  # the URL that it knows of itself, and that signatures are over; "": the same
    )
    voice_path: str = "/twiml/voice"
    fallback_path: str = "/twiml/fallback"  # "": none
    status_path: str = "/callbacks/call"  # "": none

    def url(self, path: str) -> str:
        """Return the public URL of a path, "" for none."""
        if path.startswith(("http://", "https://")):
            return path
        return self._public().rstrip("/") + path if path else ""

    def dialled(self, url: str) -> str:
        """Return where a public URL is really served: the server's address, the public path."""
        parts, public, server = urlsplit(url), urlsplit(self._public()), urlsplit(self.server_url)
        if (parts.netloc, _PLAIN_SCHEMES.get(parts.scheme)) != (public.netloc, public.scheme):
            return url
        is_socket = parts.scheme in {"ws", "wss"}
        scheme = _SOCKET_SCHEMES[server.scheme] if is_socket else server.scheme
        path = parts.path.removeprefix(public.path.rstrip("/"))
        place = server.path.rstrip("/") + (path or "/")
        return urlunsplit((scheme, server.netloc, place, parts.query, ""))

    def _public(self) -> str:
        return self.public_url or self.server_url


def resolved(url: str, against: str) -> str:
    """Return a URL of a document, which may be relative to the document's own; one that is none stays."""
    try:
        return urljoin(against, url.strip()) if url.strip() else against
    except ValueError:
        return url


def socket_url(url: str, against: str) -> str:
    """Return a stream's URL; Twilio turns a relative one into the document's host over wss.

    Raises ValueError for what is no URL.
    """
    parts = urlsplit(resolved(url, against))
    return urlunsplit(parts._replace(scheme=_SOCKET_SCHEMES.get(parts.scheme, parts.scheme)))


def new_sid(prefix: str) -> str:
    """Return a fresh SID: CA for a call, MZ for a stream, AC for an account."""
    return prefix + secrets.token_hex(16)
