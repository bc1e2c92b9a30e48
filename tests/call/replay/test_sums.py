"""The sum of a state stays while its meaning stays."""

from service.call.events import CallOpened
from service.call.replay.sums import bare, canonical, digest, state_sum
from service.call.state import Call, Field


def test_a_default_is_left_out_and_everything_else_told() -> None:
    assert bare(Call()) == {}
    call = Call(
        call_sid="CA1", position=2, resume_token=b"t", fields={"name": Field("Ada")}, requests=()
    )
    assert bare(call) == {
        "call_sid": "CA1", "position": 2, "resume_token": "dA==", "fields": {"name": {"value": "Ada"}},
    }  # fmt: skip
    assert bare((Field("a", confirmed=True),)) == [{"value": "a", "confirmed": True}]


def test_a_default_that_is_made_anew_counts_as_one() -> None:
    assert bare(CallOpened(call_sid="CA1")) == {"call_sid": "CA1"}


def test_the_same_state_has_the_same_sum_whatever_the_order_of_its_names() -> None:
    assert canonical({"b": "ü", "a": [1, 2]}) == '{"a":[1,2],"b":"ü"}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert state_sum(Call()) == digest({})
    assert state_sum(Call(position=1)) != state_sum(Call())
    assert len(state_sum(Call())) == 64
