"""One call to an agent under test: what the caller does, what must happen, and what the service wrote.

    call = stayline.call(agent=Echo, client_name="Maria Lopez")
    call.hears("what can I do for you")
    call.drop_stream()
    call.comes_back()
    call.says("my printer is broken")
    call.hears("You said: my printer is broken")
    assert call.greetings == 1

Every method is synchronous and bounded: what doesn't happen within its time raises Unmet, an
AssertionError that tells the story of the call. All of it runs in other threads, so an `async` test
may call these methods too; they block its loop, but neither the agent nor the caller.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2

from service.clock import Clock
from service.simulator import recording
from service.simulator.phone import KEYS, Phone
from service.simulator.streams import faults
from service.testing.confessions import Confessions
from service.testing.facts import Facts, Json
from service.testing.hearing import Listener, bare
from service.testing.house import House
from service.testing.story import Unmet, told
from service.testing.textspeech import Word, literal, smooth, words
from service.testing.thread import LoopThread
from service.testing.utterance import unsaid_ms, voiced

WITHIN_MS = 10_000  # what comes at all comes in a tenth of this
LOOK_MS = 5
WIRE_MS = 40  # a frame is sent when it is spoken, and the next one is never far
LATE_MS = 1_000  # what the service still writes of a call that is over
KEY_GAP_MS = 30  # no thumb is so quick; a key is one message, whatever the pace

T = TypeVar("T")


class PhoneCall(Facts):
    """A call that is under way. Made by `stayline.call`."""

    def __init__(
        self,
        phone: Phone,
        house: House,
        *,
        thread: LoopThread,
        clock: Clock,
        confessions: Confessions,
        bearer: str,
        audio: bool,
        agent_may_fail: bool,
    ) -> None:
        super().__init__(phone.call_sid, house)
        self.phone = phone
        self.agent_may_fail = agent_may_fail
        self.was_told = False
        self._thread = thread
        self._clock = clock
        self._confessions = confessions
        self._bearer = bearer
        self._audio = audio
        self._listener = Listener()
        self._streams_before = 0
        self._attached_before = 0

    # What the caller does.

    def says(self, what: str | bytes | Path, *, until: str = "") -> Self:
        """Speak, and return when it is said; with `until`, when these first words of it are said.

        Text is spoken 40 ms a word, with `audio` by the local voice; recorded mu-law (bytes, or a file
        as `stayline replay` takes it) needs `audio`. Words said while no stream is there are lost.
        """
        ulaw = voiced(what, is_real=self._audio)
        rest_ms = unsaid_ms(what, until, is_real=self._audio)
        utterance = self._thread.do(_at_once(lambda: self.phone.caller.say(ulaw)))
        said_ms = utterance.end_ms - rest_ms + WIRE_MS
        self._pause(said_ms - self._clock.now_ms())
        return self

    def presses(self, keys: str) -> Self:
        """Press keys, and return when the service has them; those pressed without a stream are lost."""
        if not keys or not set(keys) <= KEYS:
            raise ValueError(f"{keys!r} are no keys of a phone")
        before = len(self.journal("digit_pressed"))
        is_live = self.phone.is_live
        for key in keys:
            self._thread.do(self.phone.press(key))
            self._pause(KEY_GAP_MS)
        if is_live and not self.phone.is_over:
            wanted = before + len(keys)
            self.until(
                lambda it: len(it.journal("digit_pressed")) >= wanted, f"the keys {keys} arrive"
            )
        return self

    def drop_stream(self, style: str = "reset") -> Self:
        """Let a fault come to the media stream, and return when it is done.

        Styles: reset, eof, close, close=1001, close=1012, half-open, late-stop, double-webhook, redial;
        and two that are no drops: stall, duplicate-start. See service/simulator/faults.py.
        """
        fault = faults.parse(style)
        if not self.phone.is_live:
            raise self._unmet("there is no stream to drop")
        if faults.is_drop(fault):
            self._leave()
        self._thread.do(self.phone.harm(fault))
        return self

    def restart_server(self) -> Self:
        """Deploy the service anew: the next server is up, then the present one ends in an orderly way."""
        self._leave()
        self.house.restart()
        return self

    def kill_server(self) -> Self:
        """End the server as `kill -9` does, in the middle of whatever it does, and start another one."""
        self._leave()
        self.house.kill()
        return self

    def hangs_up(self) -> Self:
        """Hang up, and return when the service knows."""
        self._thread.do(self.phone.hang_up())
        return self

    def person(self, what: str, **body: Any) -> Json:
        """Step in through the API, as a person does: `person("digits", digits="1w2")`.

        `what` is the path behind `/api/calls/{call_sid}/`. Returns the answer; a refusal is an Unmet.
        """
        answer = self._thread.do(self._post(what, body))
        if answer.is_error:
            raise self._unmet(f"{what} was refused with {answer.status_code}: {answer.text}")
        told_back: Json = answer.json()
        return told_back

    # What must happen.

    def hears(self, text: str, *, within_ms: int = WITHIN_MS) -> Self:
        """Wait until the caller has heard these words, after those of the last `hears`.

        Only what was played to the end of each word counts. Case and punctuation don't matter.
        """
        self._wait(lambda: self._listener.hears(text, self.heard), f"hears {text!r}", within_ms)
        return self

    def hears_nothing(self, *, for_ms: int = 500) -> Self:
        """Give the agent some time, in which the caller must not hear a word."""
        before = bare(self.heard)
        self._pause(for_ms)
        more = bare(self.heard)[len(before) :]
        if more:
            raise self._unmet(f"heard {' '.join(more)!r}, where nothing was expected")
        return self

    def comes_back(self, *, within_ms: int = WITHIN_MS) -> Self:
        """Wait until a new stream carries the call and the service has taken it."""
        self._wait(
            lambda: self.phone.is_live and self.phone.streams > self._streams_before,
            "the stream comes back" if self._streams_before else "the call is answered",
            within_ms,
        )
        self._wait(self._is_attached, "the service takes the stream", within_ms)
        return self

    def until(
        self,
        holds: Callable[["PhoneCall"], object],
        description: str,
        *,
        within_ms: int = WITHIN_MS,
    ) -> Self:
        """Wait until something holds of the call: `until(lambda it: it.fields.get("problem"), "it is noted")`."""
        self._wait(lambda: bool(holds(self)), description, within_ms)
        return self

    def ends(self, *, within_ms: int = WITHIN_MS) -> Self:
        """Wait until the call is over for the caller and for the service, whoever ended it."""
        self._wait(
            lambda: self.phone.is_over and self.state.get("phase") in ("ended", None),
            "the call ends",
            within_ms,
        )
        return self

    # What was heard. What the service wrote: see Facts.

    @property
    def heard(self) -> str:
        """What the caller heard; a clause that was cut and said again at once stands there once.

        With `audio`, the transcript's word for it.
        """
        if self._audio:
            lines = self.transcript
            return " ".join(line["heard"] for line in lines if line["who"] != "caller")
        return smooth(self._words())

    @property
    def heard_literally(self) -> str:
        """What the caller heard, as it sounded: what was said again stands there again. Not with `audio`."""
        return literal(self._words())

    @property
    def is_over(self) -> bool:
        """Whether the call has ended for the caller."""
        return self.phone.is_over

    @property
    def is_at_till(self) -> bool:
        """Whether the carrier has the caller key in a card now (COLLECT_WITH=pay): keys go there alone."""
        return self.phone.course.till is not None

    @property
    def agent_errors(self) -> list[BaseException]:
        """What the agent raised in this call."""
        return self._confessions.of(self.call_sid)

    def record(self, path: Path) -> None:
        """Write what the caller heard as a WAV file."""
        path.write_bytes(recording.wav(self._thread.do(_at_once(self.phone.heard))))

    def story(self) -> str:
        """Return what happened, for people."""
        return told(self.phone, self.state, self.heard, self.agent_errors)

    # How it is done.

    def _leave(self) -> None:
        """Remember which streams were there, so that a new one can be told from them."""
        self._streams_before = self.phone.streams
        self._attached_before = len(self.state.get("streams", ()))

    def _is_attached(self) -> bool:
        state = self.state
        is_new = len(state.get("streams", ())) > self._attached_before
        return is_new and state["phase"] == "live"

    def _words(self) -> tuple[Word, ...]:
        return self._thread.do(_at_once(self._heard_words))

    def _heard_words(self) -> tuple[Word, ...]:
        now_ms = self._clock.now_ms()
        legs = ((line.leg, line.ended_ms or now_ms) for line in self.phone.lines)
        return words(b"".join(ulaw for leg, until_ms in legs for _, ulaw in leg.heard(until_ms)))

    async def _post(self, what: str, body: Json) -> httpx2.Response:
        url = f"{self.house.url}/api/calls/{self.call_sid}/{what}"
        headers = {"Authorization": f"Bearer {self._bearer}"}
        # No certificates are needed here, and to load them takes longer than the question.
        async with httpx2.AsyncClient(verify=False, trust_env=False) as http:
            return await http.post(url, json=body, headers=headers)

    def _wait(self, holds: Callable[[], bool], description: str, within_ms: int) -> None:
        deadline_ms = self._clock.now_ms() + within_ms
        is_over = False
        while not holds():
            self.house.server.thread.check()
            now_ms = self._clock.now_ms()
            errors = self.agent_errors
            if errors and not self.agent_may_fail:
                raise self._unmet(f"{description}: the agent raised") from errors[0]
            if self.phone.is_over and not is_over:
                is_over, deadline_ms = True, min(deadline_ms, now_ms + LATE_MS)
            if now_ms >= deadline_ms:
                before = "before the call ended" if is_over else f"within {within_ms} ms"
                raise self._unmet(f"{description}: not {before}")
            self._pause(LOOK_MS)

    def _pause(self, pause_ms: int) -> None:
        """Let time go by for everybody but the test."""
        threading.Event().wait(max(0, pause_ms) / 1_000)

    def _unmet(self, what: str) -> Unmet:
        self.was_told = True
        return Unmet(f"{what}\n{self.story()}")


async def _at_once(ask: Callable[[], T]) -> T:
    """Ask on the loop that the answer lives on."""
    return ask()
