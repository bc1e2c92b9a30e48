import pytest

from service.agent.intake.intake import Intake
from service.agent.intake.sayings import SAYINGS
from service.call.state import Call, Turn


@pytest.mark.asyncio
async def test_what_an_unknown_caller_hears_first_is_spoken_in_advance() -> None:
    acts = [act async for act in Intake().reply(Call(), Turn(1, "opening"))]
    said = [text for act in acts if (text := getattr(act, "text", ""))]
    assert said
    assert set(said) <= set(SAYINGS)


def test_nothing_is_spoken_in_advance_twice() -> None:
    assert len(set(SAYINGS)) == len(SAYINGS)
    assert all(SAYINGS)
