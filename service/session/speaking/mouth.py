"""Our half of the talk on one stream: prompts in, paced audio out, and what of it was heard.

    prompts (from the state) ──┬─> render, clause by clause ──> Playout ──> Outflow ──> socket
                               └─> a model's own voice, piece by piece ─^   ^ marks echoed

What is to be said stands in the call's state. `want` compares it with what is queued here: a new
prompt is rendered from its first clause not heard; a prompt that the state no longer holds is cut off
with `clear`. So a barge-in and a resume are the same thing seen from here.

While the caller has the floor the mouth is held: `hold` takes back what the carrier holds, `release`
goes on from what was heard last. In between prompts may come and go.

It has a task only while a clause is rendered, or while the socket takes nothing; else the pacer steps it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import copy_context

from service.audio import samples, silence
from service.call.events import Played
from service.call.state import Prompt
from service.clock import Clock
from service.protocol import messages
from service.protocol.orders import SendMark, SendMedia
from service.protocol.playout import Playout
from service.session.means import Socket, Speech
from service.session.pacer import Pacer
from service.session.sound.levels import Levels
from service.session.speaking.model_voice import ModelVoice
from service.session.speaking.outflow import Outflow
from service.session.speaking.said import Lent, Said

RENDER_MS_MAX = 8_000  # longer than any engine takes; the talk goes on without the clause
PORTIONS_A_STEP = 2  # 0.8 s of audio, and none of it is urgent: others are served in between
CLAUSES_AHEAD_MAX = 2  # rendered but not sent: a clause lasts seconds and renders in milliseconds
UNSPEAKABLE = silence(samples(200))  # stands for a clause that no engine could say

_log = logging.getLogger(__name__)


class Mouth:
    """Speaks on one stream, from the first `want` until it is stopped or its peer is lost."""

    def __init__(
        self,
        call_sid: str,
        stream_sid: str,
        epoch: int,
        socket: Socket,
        speech: Speech,
        voice: ModelVoice,
        clock: Clock,
        levels: Levels,
        *,
        pacer: Pacer,
        is_proven: bool = False,
        on_heard: Callable[[tuple[Played, ...]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._call_sid = call_sid
        self._stream_sid = stream_sid
        self._speech = speech
        self._voice = voice
        self._clock = clock
        self._pacer = pacer
        self._levels = levels
        self._on_heard = on_heard
        self._on_lost = on_lost
        self._playout = Playout(epoch, is_proven=is_proven)
        self.listened = self._playout.listened  # fifty times a second: no call of its own
        self._said: dict[str, Said | Lent] = {}
        self._further: dict[str, None] = {}
        self._to_render: list[tuple[Said | Lent, int, str]] = []
        self._outflow = Outflow(socket, clock, on_room=lambda: pacer.wake(self), on_lost=self.fail)
        self._rendering: asyncio.Task[None] | None = None
        self._is_held = self._is_over = False
        self._scope = copy_context()  # The pacer that steps us has none.

    @property
    def is_held(self) -> bool:
        """Whether nothing is sent because the caller has the floor."""
        return self._is_held

    @property
    def is_mute(self) -> bool:
        """Whether the peer seems to send no marks back."""
        return self._playout.is_mute

    def is_speaking(self) -> bool:
        """Whether anything is left that the caller has not heard."""
        return bool(self._to_render) or not self._playout.is_idle(self._outflow.now_ms())

    def want(self, prompts: tuple[Prompt, ...]) -> None:
        """Say exactly these prompts, in this order; whatever else is queued or playing is cut."""
        wanted = {prompt.prompt for prompt in prompts}
        unwanted = [name for name in self._said if name not in wanted]
        if all(self._said[name].is_done for name in unwanted):
            for name in unwanted:  # Heard to the end: there is nothing to cut.
                del self._said[name]
                self._playout.forget(name)
            # A model's prompt may not know yet that it is over.
            self._to_render = [one for one in self._to_render if one[0].prompt.prompt in wanted]
        else:
            self._hush()
        for prompt in prompts:
            if prompt.prompt not in self._said:
                self._begin(prompt)

    def _begin(self, prompt: Prompt) -> None:
        if prompt.voice != "ours":
            lent = self._said[prompt.prompt] = Lent(prompt, self._voice)
            self._to_render.append((lent, 0, ""))
        else:
            said = self._said[prompt.prompt] = Said(prompt)
            self._to_render.extend(
                (said, clause, prompt.clauses[clause])
                for clause in range(prompt.clauses_heard, len(prompt.clauses))
            )
        self._pacer.wake(self)

    def wake(self) -> None:
        """There is more of the model's audio, or no more will come."""
        self._pacer.wake(self)

    def _hush(self) -> None:
        """Forget all that is queued, here and at the carrier. Stop producing first, then clear."""
        self._to_render.clear()
        self._said.clear()
        now_ms = self._outflow.now_ms()
        if self._playout.clear(now_ms) or self._outflow.is_stalled:
            self._clear(now_ms)

    def _clear(self, now_ms: int) -> None:
        """Have the carrier drop what it has, before anything else is sent, and what is on its way with it."""
        self._outflow.drop()
        if not self._is_over:
            self._levels.cleared(now_ms)
            self._outflow.put(messages.clear(self._stream_sid))

    def hold(self) -> None:
        """Fall silent at once, and keep in mind what was not heard. Holding twice is harmless."""
        if self._is_held:
            return
        self._is_held = True
        now_ms = self._outflow.now_ms()
        if self._playout.hold(now_ms) or self._outflow.is_stalled:
            self._clear(now_ms)
        self._pacer.wake(self)

    def release(self) -> None:
        """Go on from the sample that was heard last, or a little before. Harmless when not held."""
        if self._is_held:
            self._is_held = False
            self._playout.release()
            self._pacer.wake(self)

    def echoed(self, mark: str) -> None:
        """A mark came back. It seldom makes anything due, but may tell that something will be sooner."""
        now_ms = self._clock.now_ms()
        is_sooner = self._playout.echoed(mark, now_ms)
        if self._outflow.is_stalled:
            self._pacer.wake(self)
        elif is_sooner and not self._is_over:
            self._pacer.plan(self, self._playout.deadline_ms(now_ms), now_ms)

    def played(self) -> tuple[Played, ...]:
        """How far each prompt on this stream got, as of now."""
        if self._said and self._note(self._outflow.now_ms()):
            self._pacer.wake(self)  # Whoever asks may drop the answer; it is still to be reported.
        return tuple(self._progress(name) for name in self._said)

    def _progress(self, name: str) -> Played:
        return self._said[name].played(self._playout.pointers_of(name, self._outflow.now_ms()))

    def _note(self, now_ms: int) -> bool:
        """Take note of clauses heard to their end. True when there is something to report."""
        for event in self._playout.heard(now_ms):
            said = self._said.get(event.prompt)
            if said is not None and said.heard_to(event.clause):
                self._further[event.prompt] = None
        return bool(self._further)

    def step(self, now_ms: int) -> int | None:
        """See Paced: send what is due, tell what was heard, have more rendered."""
        if self._is_over:
            return None
        self._speak(now_ms)
        self._report(self._outflow.now_ms() if self._outflow.is_stalled else now_ms)
        self._render_ahead()
        if not self._outflow.is_stalled:
            return self._playout.deadline_ms(now_ms)
        if now_ms >= self._outflow.gone_at_ms:
            raise TimeoutError
        return self._outflow.gone_at_ms

    def _speak(self, now_ms: int) -> None:
        """Send what is due, portion by portion: what the socket does not take is not sent."""
        for _ in range(PORTIONS_A_STEP):
            if self._outflow.is_stalled:
                return
            if not (out := self._playout.due(now_ms)):
                return
            self._outflow.put(*[self._text(one, now_ms) for one in out])

    def _text(self, one: SendMedia | SendMark, now_ms: int) -> str:
        if isinstance(one, SendMark):
            return messages.mark(self._stream_sid, one.name)
        self._levels.ours(one.payload, now_ms)
        return messages.media(self._stream_sid, one.payload)

    def _report(self, now_ms: int) -> None:
        if self._note(now_ms):
            told = tuple(self._progress(name) for name in self._further if name in self._said)
            self._further.clear()
            if told:
                self._on_heard(told)

    def _render_ahead(self) -> None:
        """Have more queued, as long as there is something to say and not enough of it is here."""
        while self._to_render and self._rendering is None:
            if self._playout.clauses_waiting() >= CLAUSES_AHEAD_MAX:
                return
            said, clause, text = self._to_render[0]
            if isinstance(said, Said):
                work = self._render(said, clause, text)
                self._rendering = asyncio.create_task(work, context=self._scope)
            elif not self._borrow(said):
                return

    async def _render(self, said: Said, clause: int, text: str) -> None:
        """Render the next clause, and queue it unless it is unwanted by then."""
        try:
            audio = await self._audio(text)
            self._rendering = None
            if self._said.get(said.prompt.prompt) is said:
                self._to_render.pop(0)
                said.rendered(text, audio)
                self._playout.queue(said.prompt.prompt, clause, audio)
            self._pacer.wake(self)
        except Exception as trouble:  # noqa: BLE001 - see fail
            self.fail(trouble)

    def _borrow(self, lent: Lent) -> bool:
        """Queue the next piece of a model's own voice. False when it isn't there yet."""
        piece = lent.take()
        if piece is None:
            return False
        if piece:
            self._playout.queue(lent.prompt.prompt, lent.pieces, piece)
        else:
            self._to_render.pop(0)
            self._further[lent.prompt.prompt] = None  # Maybe it was heard before its end was known.
            self._pacer.wake(self)
        return True

    async def _audio(self, text: str) -> bytes:
        """The clause's audio. One that can't be spoken is a moment of silence, not a dead call."""
        try:
            async with asyncio.timeout(RENDER_MS_MAX / 1000):
                return await self._speech.render(text, call=self._call_sid) or UNSPEAKABLE
        except Exception as trouble:  # noqa: BLE001 - an engine raises what it likes: the mouth must not die of it
            _log.error(
                "! a clause can't be spoken: %s",
                type(trouble),
                extra={"action": "synthesis_failed", "call_sid": self._call_sid},
            )
            return UNSPEAKABLE

    def fail(self, trouble: Exception) -> None:
        """See Paced: the peer is gone, or the fault is ours. Told once, and nothing is sent any more.

        A mouth that died in silence would leave a live call mute.
        """
        if self._is_over:
            return
        self._end()
        if isinstance(trouble, ConnectionError | TimeoutError):
            self._on_lost(str(trouble) or type(trouble).__name__)
            return
        _log.error(
            "! the mouth failed",
            exc_info=trouble,
            extra={"action": "mouth_failed", "call_sid": self._call_sid},
        )
        self._on_lost("fault")

    async def stop(self) -> None:
        """Send nothing more, and let go of all that is at work. Stopping twice is harmless."""
        ending = self._end()
        await asyncio.gather(*ending, return_exceptions=True)

    def _end(self) -> list[asyncio.Task[None]]:
        self._is_over = True
        self._pacer.part(self)
        rendering, self._rendering = self._rendering, None
        if rendering is not None:
            rendering.cancel()
        return [task for task in (rendering, self._outflow.stop()) if task is not None]
