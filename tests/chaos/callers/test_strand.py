import pytest

from service.chaos.callers.crowd import Crowd
from service.chaos.callers.strand import timed
from service.testing.textspeech import spoken
from tests.chaos.judging.test_judge import heard
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


async def test_a_word_was_heard_when_its_last_sample_had_sounded() -> None:
    speech = spoken("one two")
    middle = speech.ends[0] - 8
    pieces = [(1_000, speech[:middle]), (2_000, speech[middle:])]
    heard = timed(pieces)
    assert [word.text for _, word in heard] == ["one", "two"]
    assert heard[0][0] == 2_001  # its last millisecond came with the second piece
    assert heard[1][0] == 2_000 + (len(speech) - middle) // 8


async def test_what_was_heard_outlives_the_audio(crowd: Crowd) -> None:
    phone = await heard(crowd, spoken("Noted 017."))
    strand = phone.span.strands[0]
    strand.leg.buffer(spoken("Noted 018. And so on and so on."), phone.now_ms())
    phone.span.drop()
    assert strand.was_cut
    assert "017." in [word.text for _, word in strand.heard(phone.now_ms())]
    assert strand.leg.heard(phone.now_ms() + 60_000) == []
    await wait_until(lambda: len(phone.span.strands) == 2, description="it comes back")
    await phone.hang_up()
