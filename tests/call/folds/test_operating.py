import pytest

from service.call import events as e
from service.call.state import Operation
from tests.call.story import START_MS, Story, greeted


def asked(**terms: object) -> Story:
    """A call whose agent asked for a tool."""
    story = greeted()
    facts: dict[str, object] = {
        "operation": "t1.1",
        "tool": "refund",
        "arguments": {"amount": 5},
        "turn": 1,
        "is_idempotent": False,
        "attempts_max": 1,
        "deadline_ms": START_MS + 500,
        **terms,
    }
    story.write(e.OperationRequested(**facts))  # type: ignore[arg-type] # the fields, by name
    return story


def operation(story: Story) -> Operation:
    return story.call.operations[0]


def test_a_request_keeps_its_terms() -> None:
    story = asked()
    assert operation(story) == Operation(
        "t1.1",
        "refund",
        {"amount": 5},
        1,
        is_idempotent=False,
        attempts_max=1,
        deadline_ms=START_MS + 500,
        requested_ms=START_MS,
    )


def test_a_tool_is_dispatched_delayed_and_ends() -> None:
    story = asked()
    story.write(e.OperationDispatched(operation="t1.1", attempt=1))
    assert (operation(story).is_running, operation(story).attempts) == (True, 1)
    story.write(e.OperationDelayed(operation="t1.1", attempt=1, retry_ms=7, detail="busy"))
    assert (operation(story).is_running, operation(story).retry_ms) == (False, 7)
    story.write(e.OperationDispatched(operation="t1.1", attempt=2))
    story.write(e.OperationEnded(operation="t1.1", status="succeeded", result="1", detail="ok"))
    one = operation(story)
    assert (one.status, one.result, one.detail, one.is_running) == ("succeeded", "1", "ok", False)
    assert one.ended_position == story.call.position


def test_a_final_state_is_final() -> None:
    story = asked()
    story.write(e.OperationEnded(operation="t1.1", status="unknown"))
    story.write(e.OperationEnded(operation="t1.1", status="succeeded"))
    story.write(e.OperationDispatched(operation="t1.1", attempt=9))
    assert (operation(story).status, operation(story).attempts) == ("unknown", 0)


def test_facts_of_other_operations_change_nothing() -> None:
    story = asked()
    before = operation(story)
    story.write(e.OperationEnded(operation="t9.9", status="succeeded"))
    assert operation(story) == before


def test_a_person_approves_what_waits_for_them() -> None:
    story = asked(approval_ms=START_MS + 100)
    assert operation(story).approval == "asked"
    story.write(e.OperationApproved(operation="t1.1", by="ann"))
    assert operation(story).approval == "granted"


def test_a_person_denies_what_waits_for_them() -> None:
    story = asked(approval_ms=START_MS + 100)
    story.write(e.OperationDenied(operation="t1.1", by="ann"))
    assert (operation(story).status, operation(story).detail) == ("failed", "a person said no")
    assert story.call.turn is not None
    assert story.call.turn.operations == ("t1.1",)


@pytest.mark.parametrize(
    "fact", [e.OperationApproved(operation="t1.1"), e.OperationDenied(operation="t1.1")]
)
def test_what_needs_no_approval_takes_none(fact: e.Known) -> None:
    story = asked()
    before = operation(story)
    story.write(fact)
    assert operation(story) == before
