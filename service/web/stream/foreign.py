"""The media sockets of other carriers: their words outside, Twilio's inside.

    /media            a look-alike's: its `start` tells whose words it speaks
    /media/{token}      the carrier's of the settings; the stream's token ends the path

They show no signature that anybody documents, so the token alone admits, and until then they are strangers.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from starlette.websockets import WebSocket
from typing_extensions import override

from service.errors import RemoteProtocolError
from service.pages.lines import Lines
from service.protocol.dialects import Dialect
from service.protocol.events import Started
from service.protocol.interpreter import Interpreter
from service.trust.token import BROWSER, TOKEN_LETTERS_MAX, Token
from service.web.stream.socket import MediaSocket

TOKEN_PATH = "/media/{token}"  # noqa: S105 - a path, not a token

Take = Callable[[str | bytes], None]


class ForeignSocket(MediaSocket):
    """A socket on which another carrier's words are spoken."""

    def __init__(self, socket: WebSocket, interpreter: Interpreter, *, echoes: bool) -> None:
        super().__init__(socket, echoes=echoes)
        self._interpreter = interpreter
        self._heard: deque[bytes] = deque()

    @override
    def say(self, *texts: str) -> bool:
        """See Socket.say."""
        return super().say(*map(self._interpreter.told, texts))

    @override
    async def send(self, text: str) -> None:
        """See Socket.send."""
        await super().send(self._interpreter.told(text))

    @override
    async def receive(self) -> str:
        """See MediaSocket.receive."""
        while not self._heard:
            self._heard.extend(self._interpreter.heard(await super().receive()))
        return self._heard.popleft().decode()

    @override
    async def follow(self, take: Take) -> None:
        """See MediaSocket.follow."""
        while self._heard:
            take(self._heard.popleft())

        def translated(text: str | bytes) -> None:
            try:
                said = self._interpreter.heard(text)
            except RemoteProtocolError:
                said = [b""]  # Whoever takes it counts what can't be read.
            for one in said:
                take(one)

        self._direct(translated)
        while True:
            take(await self.receive())


@dataclass(frozen=True, kw_only=True)
class ForeignEntrance:
    """Where the streams of a carrier other than Twilio come in."""

    dialect: Dialect
    account_sid: str
    lines: Lines
    path: str = TOKEN_PATH

    def unwelcome(self, websocket: WebSocket, *, is_proved: bool) -> str:
        """See Entrance."""
        del is_proved
        is_token = len(websocket.path_params["token"]) <= TOKEN_LETTERS_MAX
        return "" if is_token else "the path ends with no token"

    def is_proved(self, _websocket: WebSocket) -> bool:
        """See Entrance. Nothing is, before the token is read."""
        return False

    def accepted(self, websocket: WebSocket, *, is_proved: bool) -> MediaSocket:
        """See Entrance."""
        del is_proved
        interpreter = Interpreter(self.dialect, websocket.path_params["token"])
        return ForeignSocket(websocket, interpreter, echoes=self.dialect.echoes)

    def refusal(self, started: Started, token: Token) -> str:
        """See Entrance."""
        if self.account_sid and started.account_sid not in ("", self.account_sid):
            return "the stream belongs to another account"
        return "the token is a page's" if token.door == BROWSER else ""

    def join(self, call_sid: str, socket: MediaSocket) -> None:
        """See Entrance."""
        self.lines.join(call_sid, socket)

    def part(self, socket: MediaSocket) -> None:
        """See Entrance."""
        self.lines.part(socket)
