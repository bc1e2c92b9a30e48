"""What came with a stream, read from what was written when it took the call."""

from service.call import events as e, inputs as i
from service.call.replay.attaching import read_attached
from service.call.replay.reading import Reading, written_at_once
from service.call.state import Call, Operation, Request

LINE = e.AgentSpoke(prompt="p1", clauses=("I'm still here.",))


def attached(cause: e.Cause = "drop") -> e.StreamAttached:
    return e.StreamAttached(stream_sid="MZ1", cause=cause, gap_ms=9, server="s1", gap_heard_ms=4)


def read(
    *facts: e.Known, call: Call | None = None, cause: e.Cause = "drop", server: str = "s1"
) -> list[tuple[i.Attached, Reading]]:
    fact = attached(cause)
    write = written_at_once(call or Call(), (fact, *facts), 1_000, server=server)
    found = list(read_attached(write, fact))
    return [(one.happened, one) for one in found if isinstance(one.happened, i.Attached)]


def test_a_stream_alone_tells_of_itself() -> None:
    (likely, one), (other, supposed) = read()
    assert (likely.stream_sid, likely.server, likely.gap_ms, likely.gap_heard_ms) == (
        "MZ1", "s1", 9, 4,
    )  # fmt: skip
    assert (likely.door, likely.is_live_here, likely.lost) == ("resume", True, "")
    assert (likely.is_held_here, other.is_held_here) == (True, False)
    assert (one.is_supposed, supposed.is_supposed) == (False, True)
    assert one.told_by == {0}
    assert one.count == 1


def test_the_cause_tells_the_door_and_another_server_that_nobody_was_here() -> None:
    duplicate = read(cause="duplicate")[0][0]
    assert (duplicate.door, duplicate.is_live_here) == ("voice", False)
    crash = read(cause="crash", server="s0")[0][0]
    assert (crash.is_held_here, crash.is_live_here) == (False, False)


def test_what_was_written_with_it_tells_what_came_with_it() -> None:
    refused = e.ParameterRefused(name="company", offered="Eve")
    lost = e.ContextLost(reason="gone")
    found, one = read(refused, lost, LINE)[0]
    assert (found.parameters, found.lost) == ({"company": "Eve"}, "gone")
    assert one.told_by == {0, 1, 2}
    assert one.count == 4


def test_the_end_of_a_half_utterance_tells_that_its_ear_is_gone() -> None:
    half = Call(partial_text="I have")
    spoke = e.CallerSpoke(text="I have", partial=True)
    ((gone, one),) = read(spoke, call=half)
    assert not gone.is_held_here
    assert one.told_by == {0, 1}
    ((there, _),) = read(call=half)
    assert there.is_held_here


def test_what_was_not_given_up_went_on_in_this_process() -> None:
    tools = tuple(
        Operation(name, "t", {}, 1, True, 3, 9_000, attempts=1, is_running=name != "t1.4")  # noqa: FBT003 - is_idempotent stands third
        for name in ("t1.1", "t1.2", "t1.3", "t1.4")
    )
    requests = (Request("r1", "digits", is_started=True), Request("r2", "digits", is_started=True))
    call = Call(operations=tools, requests=(*requests, Request("r3", "say")))
    found, one = read(
        e.DigitsSent(request="r1", outcome="unknown"),
        e.OperationDelayed(operation="t1.1", attempt=1, retry_ms=4_000),
        e.OperationEnded(operation="t1.2", status="unknown"),
        call=call,
    )[0]
    assert found.running == ("r2", "t1.3")
    assert found.lease_ms == 4_000
    assert one.told_by == {0, 1, 2, 3}


def test_what_happened_next_in_the_same_moment_is_no_part_of_it() -> None:
    answer = e.AgentSpoke(prompt="p1", clauses=("Hi.",), turn=1)
    human = e.AgentSpoke(prompt="p1", clauses=("Hi.",), who="human", request="r1")
    model = e.AgentSpoke(prompt="m1", clauses=("Hi.",), voice="model")
    sent = e.DigitsSent(request="r1", outcome="sent")
    for after in (answer, human, model, sent, e.CallerSpoke(text="Hi.", partial=True)):
        assert read(after, LINE)[0][1].count == 1
