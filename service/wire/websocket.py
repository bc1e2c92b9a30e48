"""uvicorn's WebSocket connection, which the application can also cut, and which fails in good order.

A peer that has stopped reading, or is no longer there, never lets a connection end in good order: the
last words for it wait to be taken. So who serves a media stream is given the means to let go of it.
And a peer that breaks the protocol costs neither a descriptor nor a traceback: an upgrade that can't be
read is answered, text that is none ends its own connection, and pings that nobody reads the answers of
are not answered for ever. Who sends more than any caller does is failed as well: that costs the stream.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

from service.loop_turn import LATE_MS
from service.waiting import Flag, Row
from service.wire.flood import Flood
from service.wire.framing import Framing, framed
from service.wire.rounds import Reader, Rounds
from service.wire.turnstile import Turnstile

CUT = "stayline.cut"  # the extension of the ASGI scope by which the connection is cut
DIRECT = "stayline.direct"  # the one by which texts come and go without a queue and a task between
UNANSWERED = 4408  # the code the application is told when a ping was not answered; no peer sees it
LINGER_S = 1.0  # for a peer to read why it was failed; what it still sends meanwhile is dropped
PIECE_BYTES = 4_096  # read at once, so that a flood of empty frames is seen before it was parsed
END_OF_REQUEST = b"\r\n\r\n"
UNREADABLE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

Take = Callable[[bytes], None]
Say = Callable[[*tuple[str, ...]], bool]

_log = logging.getLogger(__name__)


class Wire(WebSocketsSansIOProtocol):
    """One connection, with two extensions in its scope.

    `["stayline.cut"]["cut"]()` frees its descriptor at once. `["stayline.direct"]["follow"](take)` has
    `take` called with the bytes of each text as it comes, checked to be UTF-8, instead of `receive` bringing
    it; `take` neither waits nor raises. `["stayline.direct"]["say"](*texts)` sends texts at once, or returns False
    where it can't: before the handshake, after the end, and while the peer takes nothing. That a connection is
    gone is told when it is its turn at the `turnstile`. Who is followed is read in the `rounds` of a busy process.
    `told` hears by which limit one was cut: flood or ping.
    """

    def __init__(
        self,
        *given: Any,
        turnstile: Turnstile | None = None,
        rounds: Rounds | None = None,
        told: Callable[[str], None] = lambda _limit: None,
        **named: Any,
    ) -> None:
        super().__init__(*given, **named)
        self._turnstile = Turnstile() if turnstile is None else turnstile
        self._rounds = Rounds() if rounds is None else rounds
        self._reader: Reader | None = None
        self._told = told
        self._flood = Flood(self._now_ms())
        self.queue, self.writable = Row(), Flag()  # type: ignore[assignment] # lighter than uvicorn's
        self.writable.set()
        self._unread_since_ms = 0  # since when, the last time that the application took nothing
        self._frames = 0
        self._framing: Framing | None = None
        self._take: Take | None = None
        self._is_direct = False  # nothing waits any more before what is taken directly

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol. Hundreds may be lost at once, and each has a call to look after."""
        if self._reader is not None:
            self._rounds.leave(self._reader)
        self._turnstile.take(partial(super().connection_lost, exc))

    @override
    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol. What is too much is not read to its end."""
        text = None if self._framing is None else self._framing.whole(data)
        if text is None:
            is_calm = self._bring_all(data)
        else:  # nearly always
            is_calm = self._admits(1, len(data))
            if is_calm and not self.close_sent:
                self._text(text)
        if not is_calm:
            self._stop_flood()

    def _admits(self, frames: int, octets: int) -> bool:
        return self._flood.has_paid(frames, octets) or self._admits_more(frames, octets)

    def _admits_more(self, frames: int, octets: int) -> bool:
        now_ms = self._now_ms()
        if self._unread_since_ms and not self.read_paused:
            self._flood.forgive(now_ms - self._unread_since_ms)
            self._unread_since_ms = 0
        return self._flood.admits(frames, octets, now_ms)

    def _bring_all(self, data: bytes) -> bool:
        """Take bytes of any kind; False when they are too many, and what follows was left."""
        if len(data) <= PIECE_BYTES:
            return self._bring(data)
        pieces = (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
        return all(map(self._bring, pieces))

    def _bring(self, octets: bytes) -> bool:
        """Take some bytes; False when they are too many."""
        if self._framing is None:
            self._frames = 0
            super().data_received(octets)
            is_alone = octets.find(END_OF_REQUEST) == len(octets) - len(END_OF_REQUEST)
            if self.handshake_initiated and is_alone:
                # Whoever says something before this is read by the parser alone: no carrier does.
                self._framing = Framing(self.config.ws_max_size)
            return self._admits(self._frames, len(octets))
        found = self._framing.feed(octets)
        if not self._admits(len(found), len(octets)):
            return False
        for one in found:
            if not isinstance(one, bytes):
                super().data_received(one.octets)
            elif not self.close_sent:
                self._text(one)
        return True

    def _text(self, text: bytes) -> None:
        """Pass a whole text on. One that is no UTF-8 fails the connection (RFC 6455 8.1)."""
        if not (text.isascii() or _is_text(text)):  # all but the start of a stream is ASCII
            self.conn.fail(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
        elif self._take is not None and (self._is_direct or self.queue.empty()):
            self._is_direct = True
            self._take(text)
        else:
            self.curr_msg_data_type = "text"
            self.frames = [text]
            self._queue()

    def _queue(self) -> None:
        """Have a message wait for the application; until it is taken, nothing more is read."""
        was_paused = self.read_paused
        super().send_receive_event_to_app()
        if self.read_paused and not was_paused:
            self._unread_since_ms = self._now_ms()

    def _follow(self, take: Take) -> None:
        """Give texts to `take` from now on, as soon as none waits before them."""
        self._take = take
        if self._reader is None:
            self._reader = self._rounds.join(self)

    def _say(self, *texts: str) -> bool:
        """Send texts at once, if it can be: they are of no concern to the parser, which only brings."""
        is_open = self.handshake_complete and not (self.close_sent or self.transport.is_closing())
        if not is_open or not self.writable.is_set():
            return False
        self.transport.write(b"".join(map(framed, texts)))  # A write costs as much as a frame.
        return True

    @override
    def handle_connect(self, event: Request) -> None:
        """See uvicorn: the request to upgrade is here, and the application is about to be called."""
        super().handle_connect(event)
        if self.response.status_code == 101:  # noqa: PLR2004 - HTTP's own number
            self.scope["extensions"][CUT] = {"cut": self._cut}
            self.scope["extensions"][DIRECT] = {"follow": self._follow, "say": self._say}

    @override
    def handle_events(self) -> None:
        """See uvicorn: it leaves an upgrade that it can't read without an answer, for ever."""
        self._frames = len(self.conn.events)
        super().handle_events()
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()) or UNREADABLE)
            self.transport.close()

    @override
    def send_receive_event_to_app(self) -> None:
        """See uvicorn: a message is whole."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            text, self.frames = b"".join(self.frames), []
            self._text(text)
        else:
            self._queue()

    @override
    def handle_parser_exception(self) -> None:
        """See uvicorn: the connection has failed. It is not reset, or the peer would not learn why.

        RFC 6455 7.1.1: our side is closed, and what the peer was just sending is read and dropped.
        """
        if self.close_timer is not None:
            return  # It is over, and the peer has so long to let go.
        told = self.conn.close_sent
        assert told is not None
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": told.code, "reason": told.reason}
        )
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.transport.can_write_eof():
            self.close_timer = self.loop.call_later(LINGER_S, self._cut)
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            self.transport.close()

    @override
    def handle_ping(self) -> None:
        """See uvicorn. A peer that does not read gets no more pongs: nothing may pile up for it."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    @override
    def keepalive_timeout(self) -> None:
        """See uvicorn: the peer did not answer a ping. It would not take the last words either.

        The application is told apart from a peer's own end: who fell silent may not know of it. An answer that
        we have not read is no fault of the peer's: while the application takes nothing, and after we stood still,
        it is waited for anew.
        """
        now_s = self.loop.time()
        assert self.ping_timeout is not None, "that is what went by"
        if self.read_paused or now_s - self.ping_sent_at >= self.ping_timeout + LATE_MS / 1_000:
            self.ping_sent_at = now_s
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
            return
        if not self.close_sent:
            self._told("ping")
            self.queue.put_nowait({"type": "websocket.disconnect", "code": UNANSWERED})
        super().keepalive_timeout()
        self._cut()

    def _stop_flood(self) -> None:
        """Fail a connection that brings too much; one that is ending already is cut."""
        self._told("flood")
        if not self.handshake_complete or self.close_sent:
            self._cut()
            return
        _log.warning("! a socket sends too much", extra={"action": "socket_floods"})
        self.conn.fail(CloseCode.POLICY_VIOLATION, "too much at once")
        self.handle_parser_exception()

    def _now_ms(self) -> int:
        return int(self.loop.time() * 1_000)

    def _cut(self) -> None:
        """Let go of the connection, whatever is still to be sent. Harmless when it has ended."""
        self.transport.abort()


def cut_of(scope: object) -> Callable[[], None]:
    """Return what cuts the connection of a scope; nothing, where another server serves it."""
    cut: Callable[[], None] = _extension(scope, CUT).get("cut", _nothing)
    return cut


def direct_of(scope: object) -> Callable[[Take], None]:
    """Return what has the texts of a scope's connection come directly; nothing, where another server serves it."""
    follow: Callable[[Take], None] = _extension(scope, DIRECT).get("follow", _nothing)
    return follow


def say_of(scope: object) -> Say:
    """Return what sends texts on a scope's connection at once; what never can, where another server serves it."""
    say: Say = _extension(scope, DIRECT).get("say", _nothing_said)
    return say


def _extension(scope: object, name: str) -> dict[str, Any]:
    found = scope.get("extensions") if isinstance(scope, dict) else None
    extension: dict[str, Any] = (found or {}).get(name, {})
    return extension


def _is_text(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _nothing(*_: object) -> None:
    return


def _nothing_said(*_texts: str) -> bool:
    return False
