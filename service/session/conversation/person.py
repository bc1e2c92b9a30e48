"""A person in the agent's place, with their own voice: both hear each other live.

    person's audio ──> Endpointer ── begins ──> PersonBegan ──> (written) ──> ModelVoice ──> Mouth
                                  └─ ends ────> the recogniser ──> ModelContinued, Progress
    caller's audio ──> Earpiece

Rules kept here:

1. At most one socket has the place, and only while the seat is its own.
2. Live or not at all: what the caller's stream was not there for is thrown away, and stands in the
   transcript as words that were not heard.
3. The end of the person's socket ends what they are saying, not their seat; the end of the caller's stream
   ends neither.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from service.audio import samples
from service.call import inputs as i
from service.call.decisions.talking import is_live
from service.call.person_inputs import PersonBegan, PersonMissed
from service.call.state import Call
from service.session.conversation.guess import transcript
from service.session.line import CLOSE_REPLACED, Line
from service.session.means import Means
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.heard import (
    SpeechBegan as Began,
    SpeechEnded as Ended,
    SpeechPaused as Paused,
)

LEAD = samples(160)  # of what was said before we were sure: all of it is heard late for good
LATE_MAX = samples(3_000)  # a stream that takes nothing for so long is as good as gone
UTTERANCES_WAITING_MAX = 8  # two minutes of speech; more means a recogniser that can't keep up
CLOSE_OVER = 1000
CLOSE_NOT_YOURS = 4403
CLOSE_ELSEWHERE = 4421
HANDED_BACK = "the seat is not yours any more"
CALL_OVER = "the call is over"
ELSEWHERE = "held by another server"


class Earpiece(Protocol):
    """The person's socket, as far as a call uses it. Neither waits nor raises."""

    def hear(self, ulaw: bytes) -> None:
        """Let them hear the caller."""
        ...

    def end(self, code: int, why: str) -> None:
        """They have no business here any more."""
        ...


class Person:
    """Whoever talks in the agent's place on one call, if anybody does."""

    def __init__(
        self,
        call_sid: str,
        means: Means,
        line: Line,
        post: Callable[[i.Input], None],
        call: Callable[[], Call],
    ) -> None:
        self._call_sid = call_sid
        self._means = means
        self._line = line
        self._voice = line.voice
        self._post = post
        self._call = call
        self._seat = ""
        self.earpiece: Earpiece | None = None  # by which the person hears the caller
        self._endpointer: Endpointer | None = None  # made for who talks: most calls need none
        self._fresh = b""  # heard, and not passed on
        self._made = 0
        self._speaking = ""  # the prompt that grows
        self._begun: set[str] = set()  # for a stream that was there
        self._live: set[str] = set()
        self._wordless: set[str] = set()
        self._missed: set[str] = set()
        self._recognising = asyncio.Lock()
        self._recognition: asyncio.Task[None] | None = None

    def sit(self, seat: str, earpiece: Earpiece) -> bool:
        """Take a socket in, in place of the one before. False when the seat is not the call's."""
        if not self._has(self._call(), seat):
            return False
        self._part(CLOSE_REPLACED, "another window talks")
        self._seat, self.earpiece = seat, earpiece
        self._endpointer, self._fresh = self._means.endpointer(), b""
        self._endpointer.when_decided(lambda: self.hear(earpiece, b""))
        return True

    def leave(self, earpiece: Earpiece) -> None:
        """This socket is gone."""
        if self.earpiece is earpiece:
            self._fall_silent()
            self.earpiece = None

    def close(self) -> None:
        """This process does not hold the call any more."""
        self._part(CLOSE_ELSEWHERE, ELSEWHERE)

    def hear(self, earpiece: Earpiece, ulaw: bytes) -> None:
        """Take what this socket's microphone hears."""
        endpointer = self._endpointer
        if endpointer is None or earpiece is not self.earpiece:
            return
        self._fresh += ulaw
        for event in endpointer.feed(ulaw):
            match event:
                case Began():
                    self._begin()
                case Ended():
                    self._end(event.audio)
                case Paused():
                    continue
        if self._speaking:
            self._give()
        self._fresh = self._fresh[-LEAD:]

    def missed(self) -> None:
        """The caller's stream is gone: what they did not hear by now, they never will."""
        for name in self._begun - self._missed:
            self._voice.forsake(name)
            self._missed.add(name)
            if name not in self._wordless:
                self._post(PersonMissed(name))
        if self._speaking:
            self._fall_silent()

    def follow(self, call: Call) -> None:
        """Bring the socket in line with the state, and give up what was said in another process."""
        if call.phase == "ended":
            self._part(CLOSE_OVER, CALL_OVER)
        elif self.earpiece is not None and not self._has(call, self._seat):
            self._part(CLOSE_NOT_YOURS, HANDED_BACK)
        live = {prompt.prompt for prompt in call.prompts if is_live(prompt)}
        for gone in self._live - live:
            self._voice.drop(gone)
            self._begun.discard(gone)
            self._missed.discard(gone)
        for lost in live - self._missed:
            if lost not in self._voice:
                self._missed.add(lost)
                self._post(PersonMissed(lost))
        self._live = live

    def _has(self, call: Call, seat: str) -> bool:
        held = call.taken_over
        return held is not None and held.seat == seat and not held.is_leaving

    def _part(self, code: int, why: str) -> None:
        earpiece = self.earpiece
        if earpiece is not None:
            self.leave(earpiece)
            earpiece.end(code, why)

    def _begin(self) -> None:
        """Have it written that they speak. While no stream is there it waits for its words."""
        held = self._call().taken_over
        if self._line.is_live and held is not None and held.is_taken:
            name = self._speaking = self._named()
            self._begun.add(name)
            self._wordless.add(name)
            self._voice.begin(name)
            self._post(PersonBegan(name, self._seat))

    def _named(self) -> str:
        self._made += 1
        return f"h{self._call().epoch}-{self._made}"

    def _give(self) -> None:
        """Let the caller hear what has come; one who takes nothing loses it."""
        news, self._fresh = self._fresh, b""
        if self._voice.waiting(self._speaking) + len(news) <= LATE_MAX:
            self._voice.add(self._speaking, news)
            self._line.wake()

    def _fall_silent(self) -> None:
        half = self._endpointer.take() if self._endpointer is not None else None
        if half is not None:
            self._end(half)

    def _end(self, ulaw: bytes) -> None:
        """They have said it: no more audio comes of it, and its words do once they are known."""
        name = self._speaking
        if name:
            self._give()
            self._voice.end(name)
            self._line.wake()
        self._speaking, self._fresh = "", b""
        if len(self._wordless) > UTTERANCES_WAITING_MAX:
            self._tell(name, "")
            return
        name = name or self._named()
        self._wordless.add(name)
        self._recognition = self._means.tasks.start(self._recognise(name, ulaw, self._seat))

    async def _recognise(self, name: str, ulaw: bytes, seat: str) -> None:
        """Find the words, in the order in which they were said."""
        async with self._recognising:
            found = await transcript(self._call_sid, self._means.speech, ulaw)
        text = found.text if found is not None else ""
        if text and name not in self._begun:  # The caller was not there.
            self._missed.add(name)
            self._post(PersonBegan(name, seat))
        self._tell(name, text)

    def _tell(self, name: str, text: str) -> None:
        """Have the words written, and how far they were heard."""
        self._wordless.discard(name)
        self._voice.tell(name, text, is_last=True)
        self._post(i.ModelContinued(name, text, is_last=True))
        if name in self._begun:
            here = {one.prompt: one for one in self._line.played()}
            far = here.get(name) or self._voice.played(name, heard=0, sent=0, queued=0)
            self._post(i.Progress((far,)))
        if name in self._missed:
            self._post(PersonMissed(name))
