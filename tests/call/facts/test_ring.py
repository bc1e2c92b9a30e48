import typing

from service.call import events as e
from service.call.facts import ring as ring_events


def test_every_fact_of_ringing_back_is_a_fact_of_the_call() -> None:
    ours = set(typing.get_args(ring_events.RingFact))
    assert ours <= set(typing.get_args(e.Known))
    own = [kind for kind in vars(ring_events).values() if isinstance(kind, type)]
    assert {kind for kind in own if issubclass(kind, e.Fact) and kind is not e.Fact} == ours
