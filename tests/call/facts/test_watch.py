import typing

from service.call import events as e
from service.call.facts import watch as watch_events


def test_every_fact_of_those_who_watch_is_a_fact_of_the_call() -> None:
    own = {kind for kind in vars(watch_events).values() if isinstance(kind, type)}
    known = own & set(typing.get_args(e.Known))
    names = {"BranchOrphaned", "CallAdopted", "StateDiffered", "StreamError"}
    assert {kind.__name__ for kind in known} == names
