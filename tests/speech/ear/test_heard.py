from typing import get_args

import pytest
from msgspec import Struct

from service.speech.ear.heard import NOTHING, Speech, SpeechBegan, SpeechPaused


@pytest.mark.parametrize("kind", get_args(Speech))
def test_what_was_heard_stays_as_it_was_heard(kind: type[Struct]) -> None:
    assert kind.__struct_config__.frozen


def test_a_pause_is_no_beginning() -> None:
    paused: Speech = SpeechPaused(b"")
    began: Speech = SpeechBegan(0)
    assert paused != began
    assert NOTHING == ()
