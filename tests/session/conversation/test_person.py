"""A person talks in the agent's place, on a whole session: live, or not at all."""

from base64 import b64decode

import pytest

from service.audio import SILENCE, samples
from service.call import events as e
from service.session.conversation import person
from tests.conftest import wait_until
from tests.session.house import Caller, House
from tests.session.parts import LOUD
from tests.session.test_taking_over import GREETING, LONG, a_call, handed_back, taken_over

pytestmark = pytest.mark.asyncio


class Headset:
    """What a person hears, and why they were sent away."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.heard = b""
        self.ended: tuple[int, str] | None = None

    def hear(self, ulaw: bytes) -> None:
        self.heard += ulaw

    def end(self, code: int, why: str) -> None:
        self.ended = (code, why)

    def speaks(self, duration_ms: int = 400) -> None:
        self._send(LOUD, duration_ms)

    def falls_silent(self) -> None:
        self._send(SILENCE, 700)

    def _send(self, sample: bytes, duration_ms: int) -> None:
        for _ in range(duration_ms // 20):
            self.caller.session.person.hear(self, sample * samples(20))


async def a_headset(house: House, caller: Caller) -> Headset:
    await taken_over(house, caller)
    headset = Headset(caller)
    assert caller.session.person.sit("ana", headset)
    return headset


def sound(caller: Caller) -> bytes:
    sent = (one["media"]["payload"] for one in caller.socket.sent if one["event"] == "media")
    return b"".join(map(b64decode, sent))


def lines(caller: Caller) -> list[tuple[str, str, str, bool]]:
    return [(one.who, one.text, one.heard, one.cut) for one in caller.call.transcript[1:]]


async def is_written(caller: Caller, text: str) -> None:
    await wait_until(
        lambda: any(line.text == text for line in caller.call.transcript),
        description=f"{text!r} is written",
    )


async def test_both_hear_each_other_and_the_words_are_written(house: House) -> None:
    caller = await a_call(house)
    headset = await a_headset(house, caller)
    house.speech.transcripts.append("Good morning, this is Ana.")
    before = sound(caller)
    headset.speaks()
    await wait_until(
        lambda: LOUD * samples(300) in sound(caller)[len(before) :],
        description="the caller hears it while it is said",
    )
    assert caller.call.transcript[-1].text == ""
    headset.falls_silent()
    await caller.is_told("Good morning, this is Ana.")
    assert lines(caller) == [
        ("human", "Good morning, this is Ana.", "Good morning, this is Ana.", False)
    ]
    await wait_until(lambda: not caller.call.prompts, description="it is done with")
    assert not headset.heard
    caller.speaks(60)
    assert headset.heard == LOUD * samples(60)


async def test_the_caller_does_not_silence_a_live_voice(house: House) -> None:
    caller = await a_call(house)
    headset = await a_headset(house, caller)
    house.speech.transcripts.extend(["no no no stop it", "I said good morning."])
    caller.speaks()
    headset.speaks()
    await wait_until(lambda: bool(caller.call.prompts), description="the person speaks")
    caller.falls_silent()
    await is_written(caller, "no no no stop it")
    headset.speaks()
    headset.falls_silent()
    await caller.is_told("I said good morning.")
    assert "clear" not in caller.socket.events()
    assert not [fact for fact in await house.facts() if isinstance(fact, e.SpeechCut)]


async def test_what_the_caller_was_not_there_for_is_not_said_late(house: House) -> None:
    """R-3 does not hold for a person: a live voice that comes late is no conversation."""
    caller = await a_call(house)
    headset = await a_headset(house, caller)
    caller.socket.is_listening = False
    house.speech.transcripts.extend([LONG, "Are you still there?", "There you are."])
    headset.speaks(6_000)
    await wait_until(lambda: bool(caller.call.prompts), description="the person speaks")
    await caller.has_dropped()
    await is_written(caller, LONG)
    headset.speaks()
    headset.falls_silent()
    await is_written(caller, "Are you still there?")
    back = await house.returns()
    assert back.session is caller.session
    headset.speaks()
    headset.falls_silent()
    await back.is_told("There you are.")
    first, second, third = lines(back)
    assert (first[:2], first[3]) == (("human", LONG), True)
    assert len(first[2]) < len(LONG)
    assert second == ("human", "Are you still there?", "", True)
    assert third == ("human", "There you are.", "There you are.", False)
    assert sound(back).count(LOUD) < samples(600)
    assert headset.ended is None


async def test_only_the_seat_talks_and_only_as_long_as_it_has_the_call(house: House) -> None:
    caller = await a_call(house)
    here = caller.session.person
    headset = Headset(caller)
    assert not here.sit("ana", headset)
    await taken_over(house, caller)
    assert not here.sit("bob", headset)
    assert here.sit("ana", headset)
    second = Headset(caller)
    assert here.sit("ana", second)
    assert headset.ended is not None
    assert headset.ended[0] == 4409
    headset.speaks()
    assert not caller.call.prompts
    house.speech.transcripts.append("Goodbye then.")
    second.speaks()
    await handed_back(house, caller)
    assert second.ended == (person.CLOSE_NOT_YOURS, person.HANDED_BACK)
    await caller.is_told("Goodbye then.")


async def test_a_socket_that_goes_ends_the_sentence_and_not_the_seat(house: House) -> None:
    caller = await a_call(house)
    headset = await a_headset(house, caller)
    house.speech.transcripts.append("Hold on a")
    headset.speaks()
    caller.session.person.leave(headset)
    await caller.is_told("Hold on a")
    assert caller.call.taken_over is not None
    headset.speaks()
    assert not caller.call.prompts


async def test_another_process_gives_up_what_it_has_no_sound_of(
    house: House, elsewhere: House
) -> None:
    here = await a_call(house)
    headset = await a_headset(house, here)
    house.speech.may_answer.clear()
    headset.speaks()
    await wait_until(lambda: bool(here.call.prompts), description="the person speaks")
    there = await elsewhere.returns()
    await wait_until(lambda: not there.call.prompts, description="it is given up")
    await wait_until(lambda: headset.ended is not None, description="they are sent away")
    assert headset.ended == (person.CLOSE_ELSEWHERE, person.ELSEWHERE)
    assert there.call.transcript[0].text == GREETING
    assert there.call.transcript[-1].cut
    assert there.call.taken_over is not None


async def test_noise_is_no_line_while_the_caller_is_away_and_the_end_ends_it(house: House) -> None:
    caller = await a_call(house)
    headset = await a_headset(house, caller)
    await caller.has_dropped()
    house.speech.transcripts.append("")
    headset.speaks()
    headset.falls_silent()
    await house.write(e.CallEnded(reason="completed"), key="end")
    await wait_until(lambda: headset.ended is not None, description="they are sent away")
    assert headset.ended == (person.CLOSE_OVER, person.CALL_OVER)
    assert lines(caller) == []


async def test_a_caller_who_takes_nothing_loses_it(house: House) -> None:
    caller = await a_call(house)
    headset = await a_headset(house, caller)
    caller.socket.is_listening = False
    headset.speaks(9_000)
    name = "h1-1"
    assert caller.session.person._voice.waiting(name) <= person.LATE_MAX
