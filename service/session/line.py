"""The stream that a session has at the moment, or had last: its socket, its mouth, its last sound."""

import asyncio
from collections.abc import Callable, Sequence

from service.call import inputs as i
from service.call.decisions.talking import is_live
from service.call.events import Played
from service.call.state import Prompt, StreamEntry
from service.journal.values import Lease
from service.session.arrival import Arrival
from service.session.means import Means, Socket
from service.session.sound.jitter import Jitter
from service.session.sound.levels import Levels
from service.session.speaking.model_voice import ModelVoice
from service.session.speaking.mouth import Mouth

CLOSE_REPLACED = 4409  # a newer stream took the call
CLOSE_OVER = 1000


class Line:
    """At most one stream at a time."""

    __slots__ = (
        "_call_sid",
        "_closing",
        "_has_echoed",
        "_is_live_voice",
        "_is_mute",
        "_jitter",
        "_means",
        "_mouth",
        "_socket",
        "detached_ms",
        "last_media_ms",
        "levels",
        "stream_sid",
        "voice",
    )

    def __init__(self, call_sid: str, means: Means) -> None:
        self._call_sid = call_sid
        self._means = means
        self._socket: Socket | None = None
        self._mouth: Mouth | None = None
        self._closing: asyncio.Task[None] | None = None
        self.voice = ModelVoice()  # what a model says itself; it outlives the stream
        self.stream_sid = ""
        self.last_media_ms = 0
        self._has_echoed = self._is_mute = self._is_live_voice = False
        self.detached_ms = means.clock.now_ms()
        self.levels = Levels(self.detached_ms)
        self._jitter = Jitter()

    @property
    def is_live(self) -> bool:
        """Whether a stream is attached."""
        return self._mouth is not None

    @property
    def is_busy(self) -> bool:
        """Whether we are speaking on it."""
        return self._mouth is not None and self._mouth.is_speaking()

    def plug_in(
        self,
        arrival: Arrival,
        epoch: int,
        on_heard: Callable[[tuple[Played, ...]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        """Take a stream; the one before must have been unplugged."""
        assert self._mouth is None, "two streams at once"
        self._socket = arrival.socket
        self.stream_sid = arrival.stream_sid
        self.last_media_ms = now_ms = self._means.clock.now_ms()
        self.levels = Levels(now_ms)
        self._jitter = Jitter()
        self._mouth = Mouth(
            self._call_sid,
            arrival.stream_sid,
            epoch,
            arrival.socket,
            self._means.speech,
            self.voice,
            self._means.clock,
            self.levels,
            pacer=self._means.pacer,
            is_proven=self._has_echoed or (arrival.echoes and not self._is_mute),
            on_heard=on_heard,
            on_lost=on_lost,
        )

    def want(self, prompts: tuple[Prompt, ...]) -> None:
        """Say exactly these prompts. Among them a live voice waits for nobody."""
        self._is_live_voice = any(map(is_live, prompts))
        if self._mouth is not None:
            if self._is_live_voice:
                self._mouth.release()
            self._mouth.want(prompts)

    @property
    def is_held(self) -> bool:
        """Whether we are silent because the caller has the floor."""
        return self._mouth is not None and self._mouth.is_held

    def hold(self) -> None:
        """Fall silent at once: the caller has the floor, unless a live voice speaks. What was not heard is kept."""
        if self._mouth is not None and not self._is_live_voice:
            self._mouth.hold()

    def release(self) -> None:
        """Go on from what was heard last."""
        if self._mouth is not None:
            self._mouth.release()

    def wake(self) -> None:
        """There is more of what a model says itself."""
        if self._mouth is not None:
            self._mouth.wake()

    def echoed(self, mark: str) -> None:
        """A mark came back."""
        self._has_echoed = True
        if self._mouth is not None:
            self._mouth.echoed(mark)

    def heard_audio(self, count: int, now_ms: int) -> bool:
        """So many samples of the caller's came. False when there is no stream that they can be of."""
        mouth = self._mouth
        if mouth is None:
            return False
        self.last_media_ms = now_ms
        self._jitter.heard(count, now_ms)
        mouth.listened(count)
        return True

    def played(self) -> tuple[Played, ...]:
        """How far each prompt got on this stream."""
        return self._mouth.played() if self._mouth is not None else ()

    def gap_ms(self, streams: Sequence[StreamEntry], lease: Lease | None, now_ms: int) -> int:
        """Without inbound media: since what we heard here, what was written, or the last lease."""
        if not streams:
            return 0
        last_ms = max(self.last_media_ms, streams[-1].last_media_ms)
        if not last_ms:
            last_ms = max(lease.renewed_ms if lease else 0, streams[-1].attached_ms)
        return max(0, now_ms - last_ms)

    async def unplug(self, reason: str, code: int, *, grace_ms: int = 0) -> i.Detached:
        """Stop speaking, close the socket in the background, and tell how far everything got."""
        gone = i.Detached(self.stream_sid, reason, self.last_media_ms, self.played())
        self._is_mute = self._mouth is not None and self._mouth.is_mute
        mouth, socket = self._mouth, self._socket
        self._mouth = self._socket = None
        self.detached_ms = self._means.clock.now_ms()
        self._means.sight.heard(self._jitter.in_samples)
        if mouth is not None:
            await mouth.stop()
        if socket is not None:
            self._closing = self._means.tasks.start(socket.close(code, reason, grace_ms=grace_ms))
        return gone
