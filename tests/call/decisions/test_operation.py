import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.decide import deadline_ms
from service.call.decisions.operation import BACKOFF_MS, BACKOFF_MS_MAX, overdue, told_afterwards
from service.call.policy import Policy, ToolTerms
from service.call.state import Operation
from tests.call.story import START_MS, Story, greeted, kinds

TOOLS = {
    "lookup": ToolTerms(is_idempotent=True, attempts_max=3, timeout_ms=2_000),
    "note": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=2_000),
    "refund": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=2_000, approval_ms=30_000),
}


def using(*tools: str) -> Story:
    """A call whose agent uses tools."""
    story = greeted(Policy(tools=TOOLS))
    story.happen(i.Utterance("Please."))
    story.happen(i.Answered(2, tuple(a.UseTool(tool, {"id": 1}) for tool in tools)))
    return story


def one(story: Story, number: int = 0) -> Operation:
    return story.call.operations[number]


def operated(story: Story) -> list[tuple[str, int]]:
    return [
        (effect.operation, effect.attempt)
        for effect in story.effects
        if isinstance(effect, i.Operate)
    ]


def answer(outcome: str, attempt: int = 1, **more: object) -> i.OperationDone:
    return i.OperationDone("t2.1", attempt, outcome, **more)  # type: ignore[arg-type] # by name


def test_a_tool_is_dispatched_once_with_the_key_of_its_operation() -> None:
    story = using("lookup")
    assert story.effects == [
        i.Operate(
            "t2.1",
            1,
            "lookup",
            {"id": 1},
            key="CA1:t2.1",
            deadline_ms=START_MS + 3 * 2_000,
            is_idempotent=True,
        )
    ]
    story.settle()
    assert len(story.effects) == 1
    assert story.facts(e.OperationDispatched) == [
        e.OperationDispatched(operation="t2.1", attempt=1)
    ]


def test_operations_of_a_calls_later_owners_have_names_that_no_other_owner_gives() -> None:
    """Seed 5029411 of the simulation: an owner whose writes were lost had asked for one of the same turn."""
    names = set()
    for stream_sid in ("MZ2", "MZ3"):
        story = greeted()
        story.attach(stream_sid)
        story.happen(i.Utterance("Please do."))
        assert story.call.turn is not None
        acts = (a.UseTool("note", {}),)
        story.tell(i.Answered(story.call.turn.number, acts, is_last=True))
        names.add(story.call.operations[-1].operation)
    assert len(names) == len({name.partition("-")[2] for name in names} - {""}) == 2


def test_tools_of_one_turn_work_side_by_side() -> None:
    story = using("lookup", "note")
    assert operated(story) == [("t2.1", 1), ("t2.2", 1)]


def test_what_a_tool_brought_is_the_agents_next_turn() -> None:
    story = using("lookup")
    story.happen(answer("succeeded", result='{"a":1}'))
    assert (one(story).status, one(story).result) == ("succeeded", '{"a":1}')
    assert story.call.turn is not None
    assert (story.call.turn.reason, story.call.turn.operations) == ("operation", ("t2.1",))


def test_a_tool_works_on_while_no_stream_is_attached() -> None:
    story = using("note")
    story.drop()
    story.happen(answer("succeeded"))
    decision = story.attach("MZ2")
    assert one(story).status == "succeeded"
    assert kinds(decision) == ["StreamAttached"]
    assert story.call.turn is not None


def test_only_an_idempotent_tool_is_called_again_and_later_each_time() -> None:
    story = using("lookup")
    story.happen(answer("failed", may_retry=True))
    assert one(story).retry_ms == START_MS + BACKOFF_MS
    assert deadline_ms(story.call) == START_MS + BACKOFF_MS
    assert operated(story) == [("t2.1", 1)]
    story.now_ms += BACKOFF_MS
    story.happen(i.Woke())
    assert operated(story) == [("t2.1", 1), ("t2.1", 2)]
    story.happen(answer("unanswered", 2))
    assert one(story).retry_ms == story.now_ms + 2 * BACKOFF_MS
    story.now_ms += 2 * BACKOFF_MS
    story.happen(i.Woke())
    story.happen(answer("failed", 3, may_retry=True, detail="no room"))
    assert (one(story).status, one(story).detail, one(story).attempts) == ("failed", "no room", 3)


def test_a_tool_that_names_a_time_is_not_asked_sooner() -> None:
    story = using("lookup")
    story.happen(answer("failed", may_retry=True, retry_after_ms=BACKOFF_MS_MAX))
    assert one(story).retry_ms == START_MS + BACKOFF_MS_MAX


@pytest.mark.parametrize(
    ("tool", "done", "status"),
    [
        ("note", answer("failed", may_retry=True), "failed"),
        ("note", answer("failed"), "failed"),
        ("note", answer("unanswered"), "unknown"),
        ("lookup", answer("failed"), "failed"),
        ("lookup", answer("failed", may_retry=True, retry_after_ms=60_000), "failed"),
    ],
)
def test_what_is_not_called_again_has_its_final_state(
    tool: str, done: i.OperationDone, status: str
) -> None:
    story = using(tool)
    story.happen(done)
    assert one(story).status == status


def test_an_idempotent_tool_without_an_answer_at_its_deadline_has_timed_out() -> None:
    story = using("lookup")
    story.now_ms = one(story).deadline_ms
    story.happen(answer("unanswered"))
    assert one(story).status == "timed_out"


def test_an_idempotent_tool_that_gave_no_answer_at_its_last_attempt_has_failed() -> None:
    story = using("lookup")
    story.write(e.OperationDispatched(operation="t2.1", attempt=3))
    story.happen(answer("unanswered", 3))
    assert one(story).status == "failed"


def test_an_answer_to_an_earlier_attempt_counts_only_when_it_is_good() -> None:
    story = using("lookup")
    story.write(e.OperationDispatched(operation="t2.1", attempt=2))
    assert story.happen(answer("failed")).facts == ()
    story.happen(answer("succeeded"))
    assert one(story).status == "succeeded"
    assert story.happen(answer("succeeded", 2)).facts == ()


@pytest.mark.parametrize(("tool", "status"), [("lookup", "timed_out"), ("note", "unknown")])
def test_at_its_deadline_every_operation_gets_its_final_state(tool: str, status: str) -> None:
    story = using(tool)
    due_ms = deadline_ms(story.call)
    assert due_ms == one(story).deadline_ms
    story.now_ms = due_ms - 1
    assert story.happen(i.Woke()).facts == ()
    story.now_ms += 1
    story.happen(i.Woke())
    assert one(story).status == status


def test_a_tool_of_a_call_that_is_over_is_seen_to_its_end() -> None:
    story = using("note", "lookup")
    story.write(e.CallEnded(reason="completed"))
    story.happen(answer("succeeded"))
    story.now_ms = one(story, 1).deadline_ms
    story.happen(i.Woke())
    assert [operation.status for operation in story.call.operations] == ["succeeded", "timed_out"]
    assert story.call.turn is None
    assert deadline_ms(story.call) is None


def test_nothing_is_called_before_a_person_approved_it() -> None:
    story = using("refund")
    assert story.effects == []
    assert deadline_ms(story.call) is not None
    story.write(e.OperationApproved(operation="t2.1"), is_outside=True)
    story.settle()
    assert operated(story) == [("t2.1", 1)]
    assert one(story).deadline_ms == START_MS + 30_000 + 2_000


def test_what_nobody_approves_in_time_has_failed() -> None:
    story = using("refund")
    story.now_ms += 30_000
    story.happen(i.Woke())
    assert (one(story).status, one(story).detail) == ("failed", "nobody approved it in time")
    assert story.effects == []


def test_a_tool_of_a_discarded_turn_never_acts() -> None:
    story = greeted(Policy(tools=TOOLS))
    story.happen(i.Utterance("Refund me."))
    story.happen(i.Answered(2, (a.Say("I will do that right now."),), is_last=False))
    story.happen(i.Utterance("No, wait."))
    assert story.happen(i.Answered(2, (a.UseTool("note"),))).facts == ()
    assert story.call.operations == ()


@pytest.mark.parametrize("lease_ms", [0, 4_000])
def test_after_a_crash_an_idempotent_tool_is_called_again_once_the_dead_ones_hold_is_over(
    lease_ms: int,
) -> None:
    story = using("lookup")
    story.attach("MZ2", lease_ms=START_MS + lease_ms if lease_ms else 0)
    assert operated(story)[1:] == ([] if lease_ms else [("t2.1", 2)])
    story.now_ms += lease_ms
    story.happen(i.Woke())
    assert operated(story) == [("t2.1", 1), ("t2.1", 2)]


def test_attempts_that_were_lost_with_their_servers_come_to_an_end() -> None:
    """R-12: one more than the terms say makes up for what a crash cost."""
    story = using("lookup")
    for number in range(2, 8):
        story.attach(f"MZ{number}")
    assert [attempt for _, attempt in operated(story)] == [1, 2, 3, 4]
    assert one(story).is_running
    story.now_ms = one(story).deadline_ms
    story.happen(i.Woke())
    assert one(story).status == "timed_out"


def test_after_a_crash_another_tool_is_waited_for_and_then_unknown() -> None:
    story = using("note")
    story.attach("MZ2")
    assert one(story).status == "pending"
    story.now_ms = one(story).deadline_ms
    story.happen(i.Woke())
    assert one(story).status == "unknown"
    assert operated(story) == [("t2.1", 1)]


@pytest.mark.parametrize(("tool", "status"), [("lookup", "timed_out"), ("note", "unknown")])
def test_a_return_after_the_deadline_owns_up(tool: str, status: str) -> None:
    story = using(tool)
    story.now_ms = one(story).deadline_ms
    story.attach("MZ2")
    assert one(story).status == status
    assert story.call.turn is not None
    assert story.call.turn.reason == "operation"


def test_a_tool_that_works_here_is_left_alone_on_a_return() -> None:
    story = using("lookup")
    story.drop()
    assert kinds(story.attach("MZ2", running=("t2.1",))) == ["StreamAttached"]
    assert one(story).is_running


@pytest.mark.parametrize(
    ("tool", "outcome", "statuses"),
    [
        ("note", "succeeded", ["succeeded"]),
        ("note", "failed", ["failed"]),
        ("note", "unanswered", ["unknown"]),
        ("lookup", "succeeded", ["succeeded"]),
        ("lookup", "failed", []),
    ],
)
def test_who_lost_the_call_tells_only_what_is_final_whoever_holds_it(
    tool: str, outcome: str, statuses: list[str]
) -> None:
    story = using(tool)
    told = told_afterwards(story.call, answer(outcome))
    assert [fact.status for fact in told if isinstance(fact, e.OperationEnded)] == statuses
    story.write(e.OperationEnded(operation="t2.1", status="unknown"))
    assert told_afterwards(story.call, answer(outcome)) == ()


def test_a_server_that_goes_down_begins_no_attempt_and_the_next_one_does() -> None:
    story = using("lookup")
    story.happen(answer("failed", may_retry=True))
    story.happen(i.Move())
    story.now_ms += BACKOFF_MS
    assert operated(story) == [("t2.1", 1)]
    story.happen(i.Woke())
    assert operated(story) == [("t2.1", 1)]
    assert deadline_ms(story.call) == one(story).deadline_ms
    story.drop("stop")
    story.attach("MZ2")
    assert operated(story) == [("t2.1", 1), ("t2.1", 2)]


def test_a_tool_of_a_call_that_ended_is_tried_again_by_a_server_that_goes_down_too() -> None:
    story = using("lookup")
    story.happen(answer("failed", may_retry=True))
    story.happen(i.Move())
    story.write(e.CallEnded(reason="completed"), is_outside=True)
    story.now_ms += BACKOFF_MS
    story.happen(i.Woke())
    assert operated(story) == [("t2.1", 1), ("t2.1", 2)]


def test_what_is_overdue_can_be_told_by_anybody_once_the_call_has_ended() -> None:
    """R-12: its holder died after the call ended."""
    story = using("lookup", "note")
    story.write(e.CallEnded(reason="completed"), is_outside=True)
    assert overdue(story.call, one(story, 1).deadline_ms - 1) == ()
    late_ms = max(one(story).deadline_ms, one(story, 1).deadline_ms)
    story.write(*overdue(story.call, late_ms), is_outside=True)
    assert [one(story, number).status for number in (0, 1)] == ["timed_out", "unknown"]
    assert overdue(story.call, late_ms) == ()
