import typing

from service.call import events as e
from service.call.facts import fleet as fleet_events


def test_every_fact_of_the_fleet_is_a_fact_of_the_call() -> None:
    own = {kind for kind in vars(fleet_events).values() if isinstance(kind, type)}
    assert {kind.__name__ for kind in own & set(typing.get_args(e.Known))} == {"MovePlanned"}
