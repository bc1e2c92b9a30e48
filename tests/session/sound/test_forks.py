import random

import pytest

from service.audio import samples, silence
from service.call import events as e
from service.call.decisions.resume import INTERRUPTED_LINE
from service.session.sound import forks as module
from service.session.sound.forks import ALONE_MS, FORKS_OF_A_CALL_MAX, OVERLAP, Fork, Forks
from service.session.sound.seam import Seam
from service.session.sound.source import KEPT
from service.session.tasks import Tasks
from tests.conftest import wait_until
from tests.session.house import CALL, Caller, House, words_of
from tests.session.parts import LOUD, MemorySocket
from tests.session.sound.test_seam import Listening

pytestmark = pytest.mark.asyncio

NOW_MS = 1_700_000_000_000
FRAME = silence(160)
NOISE = random.Random(1).randbytes(4_000)


def joined(forks: Forks) -> tuple[Fork, MemorySocket]:
    socket = MemorySocket()
    fork = forks.join(CALL, socket, NOW_MS)
    assert fork is not None
    return fork, socket


async def test_a_fork_that_came_before_its_session_bridges_its_gap() -> None:
    forks, listening = Forks(Tasks()), Listening()
    fork, _ = joined(forks)
    fork.hear(FRAME, 0, NOW_MS + 20)
    seam = forks.attend(CALL, listening)
    seam.attach()
    for at in (160, 320):
        seam.hear(NOISE[at : at + 160], NOW_MS + 20 + at // 8)
        fork.hear(NOISE[at : at + 160], 0, NOW_MS + 20 + at // 8)
    seam.detach(NOW_MS + 60)
    fork.hear(NOISE[480:640], 0, NOW_MS + 80)
    assert seam.bridged_ms == 20
    fork.part(NOW_MS + 80)
    assert listening.told == ["attach", "detach"]
    forks.leave(CALL, seam, NOW_MS + 60)
    assert len(forks) == 0


async def test_a_fork_that_comes_later_is_heard_as_well() -> None:
    forks = Forks(Tasks())
    seam = forks.attend(CALL, Listening())
    forks.leave(CALL, Seam(Listening()), NOW_MS)  # Another session's end means nothing.
    fork, _ = joined(forks)
    seam.attach()
    for at in (160, 320, 480):
        seam.hear(NOISE[at : at + 160], NOW_MS + at // 8)
        fork.hear(NOISE[at : at + 160], 0, NOW_MS + at // 8)
    seam.detach(NOW_MS + 60)
    fork.hear(NOISE[640:800], 0, NOW_MS + 80)
    assert seam.bridged_ms == 20


async def test_what_a_fork_lost_stands_as_silence_and_never_as_much_as_it_says() -> None:
    forks = Forks(Tasks())
    fork, _ = joined(forks)
    fork.hear(LOUD * 160, 40, NOW_MS)
    assert fork.source.latest(1_000) == silence(samples(40)) + LOUD * 160
    fork.hear(LOUD * 160, 60_000, NOW_MS)
    assert fork.source.end == samples(40) + 160 + KEPT + 160


async def test_a_fork_whose_call_is_not_held_here_is_closed_after_a_while() -> None:
    tasks = Tasks()
    forks = Forks(tasks)
    fork, socket = joined(forks)
    fork.hear(FRAME, 0, NOW_MS + ALONE_MS - 1)
    await tasks.close()
    assert socket.closed is None
    fork.hear(FRAME, 0, NOW_MS + ALONE_MS)
    fork.hear(FRAME, 0, NOW_MS + ALONE_MS + 20)
    await tasks.close()
    assert socket.closed == (1000, module.DISMISSED)


async def test_one_fork_too_many_of_a_call_closes_its_oldest() -> None:
    tasks = Tasks()
    forks = Forks(tasks)
    sockets = [joined(forks)[1] for _ in range(FORKS_OF_A_CALL_MAX + 1)]
    await tasks.close()
    assert [socket.closed is not None for socket in sockets] == [True, False, False, False]


async def test_the_one_before_is_closed_once_the_next_is_heard() -> None:
    tasks = Tasks()
    forks = Forks(tasks)
    (old, before), (new, after) = joined(forks), joined(forks)
    old.hear(silence(OVERLAP), 0, NOW_MS)
    new.hear(silence(OVERLAP - 160), 0, NOW_MS)
    await tasks.close()
    assert before.closed is None
    new.hear(FRAME, 0, NOW_MS)
    await tasks.close()
    assert before.closed == (1000, module.DISMISSED)
    assert after.closed is None


async def test_there_are_never_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORKS_MAX", 1)
    forks = Forks(Tasks())
    fork, _ = joined(forks)
    assert forks.join("CA2", MemorySocket(), NOW_MS) is None
    fork.part(NOW_MS)
    assert forks.join("CA2", MemorySocket(), NOW_MS) is not None


class Doubled:
    """A caller who is heard on a stream and by a fork at once, or by the fork alone."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.socket = MemorySocket()
        fork = house.means.forks.join(CALL, self.socket, house.clock.now_ms())
        assert fork is not None
        self.fork = fork
        self.chance = random.Random(3)
        self.said = b""

    def speaks(self, duration_ms: int, caller: Caller | None) -> None:
        for _ in range(duration_ms // 20):
            self.sounds(bytes(self.chance.choices(range(200), k=160)), caller)

    def falls_silent(self, caller: Caller) -> None:
        for _ in range(1_300 // 20):
            self.sounds(FRAME, caller)

    def sounds(self, frame: bytes, caller: Caller | None) -> None:
        self.said += frame
        if caller is not None:
            caller.session.heard_audio(caller.epoch, frame, self.house.clock.now_ms())
        self.fork.hear(frame, 0, self.house.clock.now_ms())


async def test_a_sentence_through_a_drop_is_one_sentence_and_nobody_asks(house: House) -> None:
    """Acceptance: the whole sentence arrives, and the resume line is not said."""
    doubled = Doubled(house)
    house.speech.transcripts.extend(["I can not log in"] * 20)
    caller = await house.connect()
    await wait_until(lambda: bool(caller.call.is_greeted), description="the greeting is decided on")
    doubled.speaks(600, caller)
    await caller.has_dropped()
    doubled.speaks(600, None)
    again = await house.returns()
    doubled.speaks(600, again)
    doubled.falls_silent(again)
    await wait_until(
        lambda: any(line.who == "caller" for line in again.call.transcript),
        description="the caller is understood",
    )
    facts = await house.facts()
    (spoke,) = [fact for fact in facts if isinstance(fact, e.CallerSpoke)]
    assert not spoke.partial
    assert spoke.duration_ms >= 1_800
    assert doubled.said[: samples(1_800)] in house.speech.heard[-1]
    assert INTERRUPTED_LINE not in words_of(again.call)
    attached = [fact for fact in facts if isinstance(fact, e.StreamAttached)]
    assert attached[-1].gap_heard_ms <= attached[-1].gap_ms


async def test_the_end_of_a_call_dismisses_those_who_listen(house: House) -> None:
    doubled = Doubled(house)
    await house.connect()
    await house.write(e.CallEnded(reason="completed"))
    await wait_until(lambda: doubled.socket.closed is not None, description="nobody listens")
    assert doubled.socket.closed == (1000, module.DISMISSED)
