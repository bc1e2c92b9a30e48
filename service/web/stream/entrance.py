"""Two entrances to the same media session: the carrier's, signed, and a page's, by its origin.

What comes behind either is one and the same (see media.py). A token of one entrance opens no other.
"""

from dataclasses import dataclass
from typing import Protocol

from starlette.websockets import WebSocket
from typing_extensions import override

from service.call.state import LEFT
from service.pages.lines import COME_BACK, ENDED, Lines
from service.pages.names import is_from_page
from service.protocol.events import Started
from service.protocol.interpreter import Interpreter
from service.session.line import CLOSE_OVER
from service.trust.token import BROWSER, Token
from service.web.door.embedding import Origins
from service.web.door.form import proof_of, raw_target
from service.web.door.manners import SIGNATURE
from service.web.stream.foreign import ForeignSocket
from service.web.stream.socket import MediaSocket
from twiml.signature import Verifier

PAGES_PATH = "/phone/media"
GOING_AWAY = 1001  # RFC 6455, section 7.4.1: "a browser having navigated away from a page"


class Entrance(Protocol):
    """Where sockets come in."""

    @property
    def path(self) -> str:
        """The path of the route."""
        ...

    def is_proved(self, websocket: WebSocket) -> bool:
        """Whether the upgrade itself shows who sent it. Whoever asks passes the answer on: it costs some hashing."""
        ...

    def unwelcome(self, websocket: WebSocket, *, is_proved: bool) -> str:
        """Return why an upgrade is refused, "" if it isn't."""
        ...

    def accepted(self, websocket: WebSocket, *, is_proved: bool) -> MediaSocket:
        """Return what the session is to use of an accepted socket."""
        ...

    def refusal(self, started: Started, token: Token) -> str:
        """Return why a stream with a valid token is refused, "" if it isn't."""
        ...

    def join(self, call_sid: str, socket: MediaSocket) -> None:
        """A stream has shown that it belongs to this call."""
        ...

    def part(self, socket: MediaSocket) -> None:
        """A socket is gone."""
        ...


@dataclass(frozen=True, kw_only=True)
class CarrierEntrance:
    """Where the carrier's streams come in."""

    verifier: Verifier
    account_sid: str
    admits_unsigned: bool
    path: str = "/media"

    def is_proved(self, websocket: WebSocket) -> bool:
        """See Entrance."""
        path, query = raw_target(websocket.scope)
        signature, settings = proof_of(websocket)
        return self.verifier.check_upgrade(path, query, signature, settings)

    def unwelcome(self, websocket: WebSocket, *, is_proved: bool) -> str:
        """See Entrance. Look-alike carriers may send no signature; none may send a wrong one."""
        is_unsigned = SIGNATURE not in websocket.headers
        if is_proved or (is_unsigned and self.admits_unsigned):
            return ""
        return "the upgrade is not signed for this address"

    def accepted(self, websocket: WebSocket, *, is_proved: bool) -> MediaSocket:
        """See Entrance. Twilio itself sends every mark back ("mark message"); a look-alike may not."""
        if is_proved:
            return MediaSocket(websocket, echoes=True)
        return ForeignSocket(websocket, Interpreter(), echoes=False)

    def refusal(self, started: Started, token: Token) -> str:
        """See Entrance."""
        if self.account_sid and started.account_sid not in ("", self.account_sid):
            return "the stream belongs to another account"
        return "the token is a page's" if token.door == BROWSER else ""

    def join(self, call_sid: str, socket: MediaSocket) -> None:
        """See Entrance. The carrier knows its own streams."""

    def part(self, socket: MediaSocket) -> None:
        """See Entrance."""


@dataclass(frozen=True, kw_only=True)
class PageEntrance:
    """Where streams of pages come in. Browsers send no signature, and always their page's origin."""

    origins: Origins
    lines: Lines
    path: str = PAGES_PATH

    def unwelcome(self, websocket: WebSocket, *, is_proved: bool) -> str:
        """See Entrance."""
        del is_proved
        is_ours = self.origins.may_call(websocket.headers.get("origin", ""))
        return "" if is_ours else "the upgrade comes from a page that may not call"

    def is_proved(self, _websocket: WebSocket) -> bool:
        """See Entrance. Anybody can write an origin who is no browser."""
        return False

    def accepted(self, websocket: WebSocket, *, is_proved: bool) -> MediaSocket:
        """See Entrance. Our own page sends every mark back."""
        del is_proved
        return PageSocket(websocket, echoes=True)

    def refusal(self, started: Started, token: Token) -> str:
        """See Entrance."""
        is_fitting = token.door == BROWSER and is_from_page(started.call_sid)
        return "" if is_fitting else "the token is no page's"

    def join(self, call_sid: str, socket: MediaSocket) -> None:
        """See Entrance."""
        self.lines.join(call_sid, socket)

    def part(self, socket: MediaSocket) -> None:
        """See Entrance."""
        self.lines.part(socket)


class PageSocket(MediaSocket):
    """A page's socket: the code of its close says whether to come back.

    A carrier closes the stream itself when a call ends, and is given time to. A page waits for our
    word: 4000 when the call is over, 1012 when only this stream is.
    """

    @override
    def _told(self, code: int) -> str:
        """See MediaSocket. A browser says by the code that its page was left: nothing is wrong with the line."""
        return LEFT if code == GOING_AWAY else super()._told(code)

    @override
    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        """See Socket.close."""
        if code == CLOSE_OVER and grace_ms:
            await super().close(ENDED, "ended")
        elif code == CLOSE_OVER:
            await super().close(COME_BACK, reason)
        else:
            await super().close(code, reason)
