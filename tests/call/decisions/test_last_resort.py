import pytest

from service.call import events as e
from service.call.decisions.last_resort import may_be_rung, reached
from service.call.policy import Policy
from service.call.state import Call
from tests.call.story import Story

RULE = Policy(calls_back=True)


def dropped(from_: str = "+15550001", to: str = "+15550002", direction: str = "inbound") -> Call:
    story = Story()
    story.write(
        e.CallOpened(call_sid="CA1", from_number=from_, to_number=to, direction=direction),
        e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s"),
    )
    return story.call


def test_the_caller_is_rung_back_where_that_is_the_rule() -> None:
    assert reached(dropped(), 3, RULE) == (
        e.DropLimitReached(drops=3),
        e.CallbackRequested(by="rule"),
    )
    assert reached(dropped(), 3, Policy()) == (e.DropLimitReached(drops=3),)


def test_a_caller_who_is_being_rung_back_already_is_not_asked_for_twice() -> None:
    story = Story()
    story.call = dropped()
    assert len(reached(story.write(e.CallbackRequested(by="person")), 3, RULE)) == 1


@pytest.mark.parametrize(
    "call",
    [
        dropped("anonymous"),
        dropped(to="client:desk"),
        dropped(direction="outbound-api"),
        Call(from_number="+15550001", to_number="+15550002"),
    ],
    ids=["withheld", "no line of ours", "rung by us", "never on a stream"],
)
def test_some_callers_cannot_be_rung_back(call: Call) -> None:
    assert not may_be_rung(call)
    assert len(reached(call, 3, RULE)) == 1
