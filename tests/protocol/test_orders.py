import pytest
from msgspec import Struct

from service.protocol.orders import ClauseHeard, Pointers, SendMark, SendMedia


@pytest.mark.parametrize("kind", [SendMedia, SendMark, ClauseHeard, Pointers])
def test_an_order_that_was_given_is_not_changed(kind: type[Struct]) -> None:
    assert kind.__struct_config__.frozen


def test_a_prompt_that_was_not_sent_yet_got_nowhere() -> None:
    got = Pointers("p1")
    assert (got.synthesised, got.sent, got.heard, got.reach) == (0, 0, 0, 0)
