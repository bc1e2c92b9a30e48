import asyncio
import base64

import pytest
from typing_extensions import override

from service.audio import samples
from service.call.events import Played
from service.call.state import Prompt
from service.clock import Clock
from service.errors import SpeechError
from service.session.speaking import mouth as module, outflow
from tests.conftest import for_a_moment, wait_until
from tests.session.parts import MemorySocket
from tests.session.speaking.stage import Stage

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("manner")]

ONE = Prompt("p1", 1, ("the first clause is here", "and here is the second"))
TWO = Prompt("p2", 2, ("another prompt",))


async def test_a_prompt_is_sent_marked_and_reported_clause_by_clause() -> None:
    stage = Stage()
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        assert mouth.is_speaking()
        await wait_until(lambda: stage.heard("p1") == 2, description="both clauses are heard")
        assert not mouth.is_speaking()
    assert all(mark.startswith("e3.p1.") for mark in stage.socket.marks())
    assert all(message["streamSid"] == "MZ1" for message in stage.socket.sent)
    assert stage.told[-1].heard_samples == samples(200)
    assert stage.told[-1].sent_samples == samples(200)
    assert stage.lost == []


async def test_a_prompt_goes_on_from_its_first_clause_not_heard() -> None:
    stage = Stage()
    half = Prompt("p1", 1, ONE.clauses, clauses_heard=1, heard_samples=800, done_samples=800)
    async with stage.speaking() as mouth:
        mouth.want((half,))
        await wait_until(lambda: stage.heard("p1") == 2, description="the rest is heard")
    assert stage.speech.said == [ONE.clauses[1]]
    assert stage.told[-1].heard_samples == 800 + samples(100)


async def test_a_prompt_that_was_heard_makes_room_for_the_next_without_a_cut() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    async with stage.speaking() as mouth:
        mouth.want((ONE, TWO))
        await wait_until(lambda: len(stage.speech.said) == 3, description="all is rendered")
        await wait_until(lambda: len(stage.socket.marks()) == 3, description="all is sent")
        for mark in stage.socket.marks()[:2]:
            mouth.echoed(mark)
        await wait_until(lambda: stage.heard("p1") == 2, description="the first is heard")
        mouth.want((TWO,))
        stage.socket.is_listening = True
        stage.socket.listen()
        await wait_until(lambda: stage.heard("p2") == 1, description="the second is heard")
    assert "clear" not in stage.socket.events()
    assert len(stage.speech.said) == 3


async def test_what_is_unwanted_as_soon_as_its_rendering_began_does_not_silence_the_next() -> None:
    stage = Stage()
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        mouth.step(Clock().now_ms())  # The rendering has begun, and its task has not run yet.
        mouth.want(())
        await asyncio.sleep(0)
        mouth.want((TWO,))
        await wait_until(lambda: stage.heard("p2") == 1, description="the next is heard")
    assert stage.heard("p1") == 0


async def test_what_is_no_longer_wanted_is_cleared_and_nothing_of_it_follows() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    stage.speech.ms_a_word = 400
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: len(stage.socket.sent) > 10, description="some of it is sent")
        mouth.want(())
        await wait_until(lambda: stage.socket.events()[-1] == "clear", description="it is cleared")
        assert not mouth.is_speaking()
        await for_a_moment(0.05)
        assert stage.socket.events()[-1] == "clear"
        stage.socket.is_listening = True
        stage.socket.listen()
        await for_a_moment(0.02)
    assert stage.told == []


async def test_a_hold_clears_at_once_and_a_release_says_all_that_was_not_heard() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    stage.speech.ms_a_word = 100
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: len(stage.socket.marks()) >= 3, description="all is sent")
        mouth.hold()
        mouth.hold()
        assert mouth.is_held
        await asyncio.sleep(0)
        assert stage.socket.events()[-1] == "clear"
        stage.socket.listen()
        await for_a_moment(0.02)
        assert stage.socket.events()[-1] == "clear"
        assert mouth.is_speaking()
        assert stage.told == []
        stage.socket.is_listening = True
        mouth.release()
        mouth.release()
        await wait_until(lambda: stage.heard("p1") == 2, description="it is heard to its end")
    assert not mouth.is_held
    assert stage.socket.events().count("clear") == 1
    assert stage.told[-1].heard_samples == samples(1_000)
    assert stage.speech.said == list(ONE.clauses)


async def test_a_hold_with_nothing_at_the_carrier_sends_nothing_and_still_renders_ahead() -> None:
    stage = Stage()
    async with stage.speaking() as mouth:
        mouth.hold()
        mouth.want((ONE, TWO))
        await wait_until(lambda: len(stage.speech.said) == 2, description="two are rendered ahead")
        await for_a_moment(0.02)
        assert len(stage.speech.said) == 2
        assert stage.socket.sent == []
        mouth.release()
        await wait_until(lambda: stage.heard("p2") == 1, description="all is heard")
    assert "clear" not in stage.socket.events()


async def test_what_is_cut_during_a_hold_does_not_come_back() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    stage.speech.ms_a_word = 100
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: bool(stage.socket.marks()), description="it is sent")
        mouth.hold()
        await asyncio.sleep(0)
        stage.socket.is_listening = True
        mouth.want((TWO,))
        await wait_until(lambda: TWO.clauses[0] in stage.speech.said, description="it is rendered")
        assert stage.socket.events()[-1] == "clear"
        mouth.release()
        await wait_until(lambda: stage.heard("p2") == 1, description="the new one is heard")
    assert stage.socket.events().count("clear") == 1
    after = stage.socket.sent[stage.socket.events().index("clear") + 1 :]
    assert {one["mark"]["name"] for one in after if one["event"] == "mark"} == {"e3.p2.1600.2"}


async def test_the_words_heard_of_a_cut_clause_are_counted() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    stage.speech.ms_a_word = 200
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: bool(stage.socket.marks()), description="it is sent")
        await wait_until(lambda: mouth.played()[0].part_words == 1, description="one word is heard")
        mouth.hold()
        frozen = mouth.played()[0]
        await for_a_moment(0.05)
        assert mouth.played()[0] == frozen
        assert frozen.part_samples < frozen.part_of_samples == samples(400)


async def test_audio_is_paced_two_seconds_ahead() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    stage.speech.ms_a_word = 2_000
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: len(stage.socket.marks()) >= 5, description="two seconds are sent")
        await for_a_moment(0.05)
        assert stage.socket.events().count("media") <= 12


async def test_progress_that_somebody_asked_for_is_reported_all_the_same() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: bool(stage.socket.marks()), description="it is sent")
        for mark in stage.socket.marks():
            mouth.echoed(mark)
        await wait_until(lambda: mouth.played()[0].clauses == 1, description="it is heard")
        await wait_until(lambda: stage.heard("p2") == 1, description="it is reported")


@pytest.mark.parametrize("trouble", [SpeechError("no"), RuntimeError("a fault of the engine")])
async def test_a_clause_that_can_not_be_spoken_is_a_moment_of_silence(trouble: Exception) -> None:
    stage = Stage()
    stage.speech.trouble = trouble
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: stage.heard("p2") == 1, description="the moment has passed")
    assert stage.told[-1].heard_samples == len(module.UNSPEAKABLE)


async def test_an_engine_that_never_answers_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RENDER_MS_MAX", 20)
    stage = Stage()
    stage.speech.may_answer.clear()
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: stage.heard("p2") == 1, description="the moment has passed")


async def test_a_peer_that_is_gone_is_told_of_once() -> None:
    stage = Stage()
    stage.socket.is_dead = True
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: bool(stage.lost), description="the loss is told")
    assert stage.lost == ["the peer is gone"]


async def test_a_peer_that_takes_nothing_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outflow, "SEND_MS_MAX", 20)
    stage = Stage()
    stage.socket.is_stuck = True
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: bool(stage.lost), description="the loss is told")
    assert stage.lost == ["TimeoutError"]


async def test_a_fault_of_our_own_gives_the_stream_up_instead_of_falling_mute() -> None:
    stage = Stage()

    def broken(_told: tuple[Played, ...]) -> None:
        raise RuntimeError("a bug")

    stage.mouth._on_heard = broken
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: bool(stage.lost), description="the loss is told")
    assert stage.lost == ["fault"]


async def test_an_echo_that_nobody_expects_changes_nothing() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    async with stage.speaking() as mouth:
        mouth.want((TWO,))
        await wait_until(lambda: bool(stage.socket.marks()), description="it is sent")
        for mark in ("", "e1.p2.160", "e3.p9.1", "x" * 100_000):
            mouth.echoed(mark)
        assert mouth.is_speaking()
        assert mouth.played()[0].clauses == 0


class Narrow(MemorySocket):
    """A socket that takes texts at once until it has so many, and then waits until there is room."""

    def __init__(self, takes: int) -> None:
        super().__init__()
        self.is_listening = False
        self.left = takes
        self.room = asyncio.Event()

    @override
    def say(self, *texts: str) -> bool:
        return self.left > 0 and super().say(*texts)

    @override
    async def send(self, text: str) -> None:
        if self.left <= 0:
            await self.room.wait()
        await super().send(text)

    @override
    def _take(self, text: str) -> None:
        self.left -= 1
        super()._take(text)


def narrow(takes: int, ms_a_word: int = 400) -> Stage:
    stage = Stage()
    stage.socket = stage.mouth._outflow._socket = Narrow(takes)
    stage.speech.ms_a_word = ms_a_word
    return stage


@pytest.mark.parametrize("silenced", ["hold", "cut"])
@pytest.mark.parametrize("takes", [0, 1, 2, 3])
async def test_after_a_stall_in_the_midst_nothing_stale_follows_the_clear(
    takes: int, silenced: str
) -> None:
    """G3: what is under way when the caller has the floor is followed by the clear, and by nothing else."""
    stage = narrow(takes)
    room = stage.socket.room  # type: ignore[attr-defined] # it is narrow
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: mouth._outflow.is_stalled, description="the socket takes no more")
        await asyncio.sleep(0)
        before = len(stage.socket.sent)
        if silenced == "hold":
            mouth.hold()
        mouth.want(())
        room.set()
        await wait_until(lambda: not mouth._outflow.is_stalled, description="it takes again")
        await for_a_moment(0.05)
    assert stage.socket.events()[before:].count("clear") == 1
    assert stage.socket.events()[-1] == "clear"
    assert len(stage.socket.sent) <= before + 2
    assert stage.lost == []


async def test_what_the_socket_did_not_take_is_not_counted_as_sent_nor_as_heard() -> None:
    stage = narrow(0, ms_a_word=40)
    stage.mouth._playout._marks.is_mute = True  # So that time alone tells what was heard.
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: mouth._outflow.is_stalled, description="the socket takes no more")
        (stalled,) = mouth.played()
        assert stalled.sent_samples == samples(200)
        await for_a_moment(0.3)
        (later,) = (
            mouth.played()
        )  # What is synthesised grows: the next clause is rendered meanwhile.
        assert (later.sent_samples, later.heard_samples) == (
            stalled.sent_samples,
            stalled.heard_samples,
        )
    assert stalled.clauses == later.clauses == 0
    assert stage.told == []


async def test_after_a_stall_everything_is_said_and_heard_in_order() -> None:
    stage = narrow(2, ms_a_word=100)
    stage.socket.is_listening = True
    stage.socket.echo = stage.mouth.echoed
    room = stage.socket.room  # type: ignore[attr-defined] # it is narrow
    async with stage.speaking() as mouth:
        mouth.want((ONE, TWO))
        await wait_until(lambda: mouth._outflow.is_stalled, description="the socket takes no more")
        room.set()
        await wait_until(lambda: stage.heard("p2") == 1, description="all is heard")
    media = [one["media"]["payload"] for one in stage.socket.sent if one["event"] == "media"]
    assert len(b"".join(map(base64.b64decode, media))) == samples(100) * 12
    assert stage.heard("p1") == 2


async def test_a_peer_that_is_gone_lets_go_of_every_task_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """O-3."""
    monkeypatch.setattr(outflow, "SEND_MS_MAX", 20)
    tasks = asyncio.all_tasks()
    stage = narrow(0)
    stage.mouth.want((ONE, TWO))
    await wait_until(lambda: bool(stage.lost), description="the loss is told")
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert len(stage.mouth._pacer) == 0
    for change in (stage.mouth.hold, stage.mouth.release, stage.mouth.wake):
        change()
    stage.mouth.echoed("e3.p1.8")
    stage.mouth.want((TWO,))
    stage.mouth.want(())
    await for_a_moment(0.05)
    assert (stage.socket.sent, stage.lost) == ([], ["TimeoutError"])
    assert asyncio.all_tasks() == tasks
    await stage.mouth.stop()


async def test_a_silent_mouth_has_neither_task_nor_timer() -> None:
    tasks = asyncio.all_tasks()
    stage = Stage()
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: stage.heard("p1") == 2, description="all is heard")
        mouth.want(())
        await wait_until(lambda: len(mouth._pacer) == 0, description="nothing is due")
        assert asyncio.all_tasks() == tasks


async def test_a_stopped_mouth_sends_nothing_more() -> None:
    stage = Stage()
    stage.socket.is_listening = False
    stage.speech.ms_a_word = 2_000
    async with stage.speaking() as mouth:
        mouth.want((ONE,))
        await wait_until(lambda: len(stage.socket.sent) > 5, description="it speaks")
    sent = len(stage.socket.sent)
    mouth.hold()
    mouth.release()
    mouth.want((TWO,))
    for mark in stage.socket.marks():
        mouth.echoed(mark)
    await for_a_moment(0.3)
    assert len(stage.socket.sent) == sent
    assert stage.lost == []
