"""The streams of one light call: what `simulator.streams.bridge` does, for hundreds of calls on half a core.

    connect ── handshake, `connected`, `start` ──> carried by the crowd's ticks ──> ended

Of the stand-in it keeps the protocol (`Leg`: playback, marks, clear) and leaves out what costs: frames
of 20 ms become messages of 100 ms and more, and nobody listens to the audio before the end.
"""

import asyncio
import socket
from binascii import a2b_base64
from collections.abc import Awaitable, Callable

from typing_extensions import override

from service.audio import samples, silence
from service.chaos.callers.strand import Strand
from service.chaos.callers.wire import NO_CLOSE_FRAME, Refused, dial
from service.clock import Clock
from service.simulator import signing
from service.simulator.account import new_sid, socket_url
from service.simulator.caller import Ear, Mouth
from service.simulator.card import Card, Spawn, Tell
from service.simulator.streams.bridge import Bridge, Ended
from service.simulator.streams.carrier import Leg
from service.simulator.streams.handshake import (
    BAD_HANDSHAKE,
    CONNECT_REFUSED,
    CONNECT_TIMEOUT,
    MALFORMED,
)
from service.simulator.streams.line import BROKEN_PIPE, SERVER_CLOSED
from service.simulator.timeline import Kind, Timeline
from service.simulator.twiml.verbs import Stream

Via = tuple[str, int]  # a proxy before the service, by host and port
Detour = Callable[[str], Awaitable[tuple[str, socket.socket]]]  # where else to dial, and from where
MEDIA_HEAD = b'{"event":"media","media":{"payload":"'


class Span(Bridge):
    """The bridge of a light call."""

    def __init__(
        self,
        card: Card,
        *,
        timeline: Timeline,
        clock: Clock,
        tell: Tell,
        spawn: Spawn,
        media_ms: int,
    ) -> None:
        super().__init__(
            card, mouth=Mouth(), ear=Ear(), timeline=timeline, clock=clock, tell=tell, spawn=spawn
        )
        self.strands: list[Strand] = []
        self.strand: Strand | None = None
        self.refusals: list[int] = []
        self.is_mute = False
        self.detour: Detour | None = None
        self.via: Via | None = None
        self.on_media: Callable[[int], None] = lambda _now_us: None
        self._media_ms = media_ms
        self._silence = silence(samples(media_ms))
        self._ended: asyncio.Future[int] | None = None

    @override
    async def connect(self, stream: Stream, against: str) -> Ended:
        """Perform one `<Connect>`; returns when its stream has ended."""
        stream_sid = new_sid("MZ")
        opened = await self._dial(stream, against, stream_sid)
        if isinstance(opened, int):
            self.refusals.append(opened)
            self._timeline.note(self._clock.now_ms(), Kind.STREAM_FAILED, value=opened)
            self._tell(stream, stream_sid, "stream-error", opened)
            return Ended(opened, was_open=False)
        self._tell(stream, stream_sid, "stream-started", 0)
        assert self._ended is not None
        error = await self._ended
        self._tell(stream, stream_sid, "stream-error" if error else "stream-stopped", error)
        return Ended(error)

    async def _dial(self, stream: Stream, against: str, stream_sid: str) -> Strand | int:
        leg = Leg(
            stream_sid,
            self._card.call_sid,
            self._card.account.account_sid,
            dict(stream.parameters),
        )
        try:
            url = socket_url(stream.url, against)
        except ValueError:
            return MALFORMED
        sign = signing.signature(self._card.account.auth_token, url)
        place, ours = self._card.number.dialled(url), None
        try:
            if self.detour is not None:
                place, ours = await self.detour(place)
            wire = await dial(
                place,
                {signing.SOCKET_HEADER: sign},
                ours=ours,
                via=self.via,
            )
        except TimeoutError:
            return CONNECT_TIMEOUT
        except Refused as refused:
            return BAD_HANDSHAKE if refused.status else CONNECT_REFUSED
        except OSError:
            return CONNECT_REFUSED
        # Nothing of the service's can come before `start` is sent.
        strand = Strand(leg, self._clock.now_us(), wire)
        self._ended = asyncio.get_running_loop().create_future()
        self.strands.append(strand)
        self.strand = strand
        self.is_mute = False
        self._timeline.note(self._clock.now_ms(), Kind.STREAM_OPENED, stream=len(self.strands))
        wire.send(leg.connected())
        wire.send(leg.start())
        wire.listen(
            lambda body: self._take(strand, body),
            lambda code: self._lost(strand, code),
        )
        return strand

    def tick(self, now_ms: int) -> None:
        """Send what is due: the caller's silence, and the marks that were played."""
        strand = self.strand
        if strand is None or self.is_mute:
            return
        due = (now_ms - strand.started_us // 1_000) // self._media_ms - strand.sent
        strand.sent += due
        strand.late_ms = max(strand.late_ms, (due - 1) * self._media_ms)
        for _ in range(due):
            strand.wire.send(strand.leg.media(self._silence))
        self._echo(strand, now_ms)

    def press(self, keys: str) -> bool:
        """Press keys on the live stream; False when there is none."""
        if self.strand is None:
            return False
        for key in keys:
            self.strand.wire.send(self.strand.leg.dtmf(key))
        return True

    def drop(self) -> None:
        """Reset the live stream's connection, if there is one."""
        if self.strand is not None:
            self.strand.wire.reset()
            self._end(BROKEN_PIPE)

    def freeze(self, *, is_mute: bool) -> None:
        """Read nothing any more; `is_mute`: send nothing either. The socket stays open."""
        if self.strand is not None:
            self.is_mute = is_mute
            self.strand.wire.freeze()

    @override
    async def cut(self) -> bool:
        if self.strand is None:
            return False
        self.strand.wire.send(self.strand.leg.stop())
        self.strand.wire.close(1000)
        self._end(0)
        return True

    @override
    async def release(self) -> None:
        for strand in self.strands:
            strand.wire.reset()
        self._end(0)

    def _take(self, strand: Strand, body: bytes) -> None:
        now_us = self._clock.now_us()
        if body.startswith(MEDIA_HEAD) and body.endswith(strand.media_tail):
            # The bulk of all messages, and exactly as documented: nothing is left for `Leg` to judge.
            ulaw = a2b_base64(body[len(MEDIA_HEAD) : -len(strand.media_tail)], strict_mode=True)
            strand.leg.buffer(ulaw, now_us // 1_000)
        else:
            strand.leg.receive(body.decode(), now_us // 1_000)
        if b'"payload"' in body:
            strand.first_media_us = strand.first_media_us or now_us
            self.on_media(now_us)
        if strand is self.strand:
            self._echo(strand, now_us // 1_000)

    def _echo(self, strand: Strand, now_ms: int) -> None:
        for text in strand.leg.poll(now_ms):
            strand.wire.send(text)

    def _lost(self, strand: Strand, code: int) -> None:
        if strand is self.strand:
            strand.code = code
            self._end(BROKEN_PIPE if code == NO_CLOSE_FRAME else SERVER_CLOSED)

    def _end(self, error: int) -> None:
        if self.strand is not None:
            self.strand.end(self._clock.now_us())
            self.strand = None
            self._timeline.note(self._clock.now_ms(), Kind.STREAM_ENDED, value=error)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(error)
