"""What a mouth does with a model's own speech, which comes piece by piece."""

import base64

import msgspec
import pytest

from service.audio import samples
from service.call.state import Prompt
from service.session.speaking.said import REPEAT
from tests.conftest import wait_until
from tests.session.speaking.stage import Stage

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("manner")]

OWN = Prompt("m1", 1, ("",), voice="model", is_open=True)


async def test_a_models_own_speech_is_heard_as_it_comes_and_told_by_the_sample() -> None:
    desk = Stage()
    async with desk.speaking() as mouth:
        desk.voice.begin("m1")
        mouth.want((OWN,))
        desk.voice.add("m1", b"\x2a" * samples(500))
        mouth.wake()
        await wait_until(lambda: bool(desk.told), description="the first half was heard")
        assert (desk.told[-1].clauses, desk.told[-1].heard_samples) == (0, samples(500))
        desk.voice.add("m1", b"\x2b" * samples(300))
        desk.voice.tell("m1", "Hello there.", is_last=True)
        mouth.wake()
        await wait_until(lambda: desk.told[-1].clauses == 1, description="all of it was heard")
        assert desk.told[-1].heard_samples == samples(800)
        mouth.want(())
        assert "clear" not in desk.socket.events()


async def test_a_models_speech_whose_end_is_known_late_is_told_as_heard() -> None:
    desk = Stage()
    async with desk.speaking() as mouth:
        desk.voice.begin("m1")
        desk.voice.add("m1", b"\x2a" * samples(200))
        mouth.want((OWN,))
        await wait_until(lambda: bool(desk.told), description="all the audio was heard")
        assert desk.told[-1].clauses == 0
        desk.voice.tell("m1", "Hi.", is_last=True)
        mouth.wake()
        await wait_until(lambda: desk.told[-1].clauses == 1, description="and it was the end")


async def test_a_models_speech_goes_on_where_the_last_stream_ended() -> None:
    desk = Stage()
    desk.voice.begin("m1")
    desk.voice.add("m1", b"\x2a" * samples(300) + b"\x2b" * samples(200))
    desk.voice.tell("m1", "Hello there.", is_last=True)
    async with desk.speaking() as mouth:
        mouth.want((msgspec.structs.replace(OWN, heard_samples=samples(300)),))
        await wait_until(
            lambda: bool(desk.told) and desk.told[-1].clauses == 1, description="the rest was heard"
        )
    assert desk.told[-1].heard_samples == samples(500)
    media = [one["media"]["payload"] for one in desk.socket.sent if one["event"] == "media"]
    assert b"".join(map(base64.b64decode, media)) == b"\x2a" * REPEAT + b"\x2b" * samples(200)


async def test_our_own_line_comes_after_a_models_that_is_over() -> None:
    desk = Stage()
    desk.voice.begin("m1")
    desk.voice.add("m1", b"\x2a" * samples(200))
    ours = Prompt("p2", 2, ("One moment.",))
    async with desk.speaking() as mouth:
        mouth.want((OWN, ours))
        await wait_until(lambda: bool(desk.told), description="the model is heard")
        assert desk.speech.said == []
        desk.voice.tell("m1", "Hi.", is_last=True)
        mouth.wake()
        await wait_until(lambda: desk.speech.said == ["One moment."], description="then we are")
