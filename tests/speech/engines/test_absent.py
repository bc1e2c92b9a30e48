import pytest

from service.errors import EngineMissing
from service.speech.engines.absent import AbsentSpeech

pytestmark = pytest.mark.asyncio


async def test_every_use_says_which_engine_is_missing() -> None:
    speech = AbsentSpeech(EngineMissing("The package hibari is not installed."))
    with pytest.raises(EngineMissing, match="hibari is not installed"):
        await speech.render("hello", call="CA1", within_ms=1_000)
    with pytest.raises(EngineMissing, match="hibari is not installed"):
        await speech.transcribe(b"", 1_000, call="CA1")


async def test_there_is_nothing_to_close() -> None:
    speech = AbsentSpeech(EngineMissing("The package hibari is not installed."))
    await speech.close()
    await speech.close()
