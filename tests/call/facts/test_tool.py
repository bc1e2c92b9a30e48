import typing

from service.call import events as e
from service.call.facts import tool as tool_events


def test_every_fact_of_a_tool_is_a_fact_of_the_call() -> None:
    own = {kind for kind in vars(tool_events).values() if isinstance(kind, type)}
    assert {kind.__name__ for kind in own & set(typing.get_args(e.Known))} == {
        "OperationRequested", "OperationApproved", "OperationDenied", "OperationDispatched",
        "OperationDelayed", "OperationEnded",
    }  # fmt: skip
