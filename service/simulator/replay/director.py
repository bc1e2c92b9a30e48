"""Performs a script: makes the caller speak, press and hang up, and lets the faults come, at their times.

The caller is polite: the next utterance begins when the agent has said something since the last one and
has then been silent for 700 ms, on a live stream. Nothing waits longer than the script's whole length.
"""

import asyncio
from collections.abc import Callable
from typing import assert_never

from service.simulator.phone import Phone
from service.simulator.replay import script as s
from service.simulator.replay.api import Api, Snapshot
from service.simulator.streams.faults import is_drop
from service.simulator.timeline import Kind

POLITE_MS = 700  # people answer after a silence of this order
RETURN_MS = (
    2_000  # after a drop the agent gets this long to go on before the caller takes the floor
)
ANSWER_MS_MAX = 20_000  # an agent that is silent for longer is not going to answer
LAST_WORDS_MS = 2_000  # of silence after the last answer, before the caller hangs up


class Director:
    """One script on one phone."""

    def __init__(self, phone: Phone, script: s.Script, api: Api | None = None) -> None:
        self.snapshot: Snapshot | str | None = None
        self.refusals: list[str] = []
        self.is_done = False
        self._phone = phone
        self._script = script
        self._api = api

    async def run(self) -> None:
        """Perform the whole script; returns when the call is over, at the latest a little after its length."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self._cue(cue)) for cue in self._script.cues]
        tasks.append(loop.create_task(self._talk()))
        try:
            async with asyncio.timeout(self._script.length_ms_max / 1_000):
                await asyncio.gather(*tasks)
                self.is_done = True
                await self._leave()
        except TimeoutError:
            self._note("the script's time is over")
            await self._hang_up()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._look()

    async def _talk(self) -> None:
        if not self._script.talk_over:
            await self._until(lambda: self._phone.agent_turns > 0, ANSWER_MS_MAX)
            if not self._phone.agent_turns:
                return
        for line in self._script.lines:
            if self._phone.is_over:
                return
            match line:
                case s.Wait(length_ms):
                    await asyncio.sleep(length_ms / 1_000)
                case s.Say(_, ulaw):
                    await self._say(ulaw)
                case _:
                    assert_never(line)

    async def _say(self, ulaw: bytes) -> None:
        if not self._script.talk_over:
            await self._until(lambda: self._has_floor(POLITE_MS), ANSWER_MS_MAX)
        utterance = self._phone.caller.say(ulaw)
        await self._until(lambda: self._phone.now_ms() >= utterance.end_ms)

    async def _leave(self) -> None:
        if self._phone.agent_turns:
            await self._until(lambda: self._has_floor(LAST_WORDS_MS), ANSWER_MS_MAX)
        await self._hang_up()

    async def _hang_up(self) -> None:
        if self._phone.is_over:
            await self._phone.finished()  # Its last callback is told, so the service knows it too.
        await self._look()
        await self._phone.hang_up()

    async def _look(self) -> None:
        if self._api is not None and not isinstance(self.snapshot, Snapshot):
            self.snapshot = await self._api.snapshot(self._phone.call_sid)

    async def _cue(self, cue: s.Cue) -> None:
        await self._until(lambda: self._is_due(cue.when))
        if self._phone.is_over:
            return
        match cue.what:
            case s.Drop(fault):
                await self._until(lambda: self._phone.is_live)
                await self._phone.harm(fault)
                if is_drop(fault):
                    await self._until(lambda: self._phone.is_live, RETURN_MS)
            case s.AskDigits(digits):
                await self._ask_digits(digits)
            case s.Press(digits):
                await self._phone.caller.press(digits)
            case s.HangUpNow():
                await self._hang_up()
            case _:
                assert_never(cue.what)

    async def _ask_digits(self, digits: str) -> None:
        assert self._api is not None, "digits are asked for by the API only"
        refusal = await self._api.send_digits(self._phone.call_sid, digits)
        if refusal:
            self.refusals.append(refusal)
            self._note(refusal)
        else:
            sent_before = self._phone.timeline.count(Kind.DIGITS_SENT)
            await self._until(
                lambda: self._phone.timeline.count(Kind.DIGITS_SENT) > sent_before, RETURN_MS
            )

    def _is_due(self, when: s.When) -> bool:
        now_ms = self._phone.now_ms()
        match when:
            case s.AtTime(at_ms):
                return (
                    bool(self._phone.streams) and now_ms >= self._phone.timeline.origin_ms() + at_ms
                )
            case s.AgentSpeaks(number, plus_ms):
                stretches = self._phone.ear.stretches
                return (
                    len(stretches) >= number and now_ms >= stretches[number - 1].start_ms + plus_ms
                )
            case s.CallerSpeaks(number, plus_ms):
                spoken = self._phone.caller.utterances
                return len(spoken) >= number and now_ms >= spoken[number - 1].start_ms + plus_ms
            case _:
                assert_never(when)

    def _has_floor(self, silence_ms: int) -> bool:
        phone, now_ms = self._phone, self._phone.now_ms()
        if not phone.is_live or phone.ear.quiet_ms(now_ms) < silence_ms:
            return False
        last_ms = phone.ear.stretches[-1].start_ms if phone.ear.stretches else 0
        spoken_ms = phone.caller.utterances[-1].start_ms if phone.caller.utterances else 0
        stream_ms = phone.lines[-1].started_ms
        came_back = phone.streams > 1 and last_ms < stream_ms
        return last_ms > spoken_ms and not (came_back and now_ms - stream_ms < RETURN_MS)

    async def _until(self, is_so: Callable[[], bool], at_most_ms: int = 0) -> None:
        phone = self._phone
        limit_ms = at_most_ms or self._script.length_ms_max
        deadline_ms = phone.now_ms() + limit_ms
        await phone.until(
            lambda it: it.is_over or is_so() or it.now_ms() >= deadline_ms,
            "the script goes on",
            timeout_ms=limit_ms + RETURN_MS,
        )

    def _note(self, text: str) -> None:
        self._phone.timeline.note(self._phone.now_ms(), Kind.NOTE, text)
