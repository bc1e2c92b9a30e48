import pytest

from service.call import events as e
from service.call.state import Turn
from tests.call.story import START_MS, Story


def attached(stream_sid: str = "MZ1", cause: e.Cause = "new") -> e.StreamAttached:
    return e.StreamAttached(stream_sid=stream_sid, cause=cause, gap_ms=5, server="s1")


def detached(stream_sid: str = "MZ1", reason: str = "closed") -> e.StreamDetached:
    return e.StreamDetached(stream_sid=stream_sid, reason=reason, last_media_ms=9)


def test_an_opened_call_rings_and_knows_its_caller() -> None:
    story = Story()
    call = story.write(
        e.CallOpened(
            call_sid="CA9",
            from_number="+1",
            to_number="+2",
            direction="outbound-api",
            account_sid="AC1",
            tenant="t",
            parameters={"company": "Acme"},
        )
    )
    assert (call.phase, call.call_sid, call.from_number, call.to_number) == (
        "ringing", "CA9", "+1", "+2",
    )  # fmt: skip
    assert (call.direction, call.account_sid, call.tenant) == ("outbound-api", "AC1", "t")
    assert (call.parameters, call.opened_ms) == ({"company": "Acme"}, START_MS)


def test_the_first_stream_owes_the_caller_an_opening_and_no_later_one_does() -> None:
    story = Story()
    call = story.write(attached())
    assert (call.phase, call.turn) == ("live", Turn(1, "opening", position=1))
    call = story.write(e.TurnAnswered(turn=1), detached(), attached("MZ2", "drop"))
    assert (call.phase, call.turn, call.turns) == ("live", None, 1)


def test_a_stream_that_attaches_replaces_the_one_that_nobody_saw_go() -> None:
    story = Story()
    story.write(attached())
    story.epoch = 2
    first, second = story.write(attached("MZ2", "crash")).streams
    assert (first.reason, first.detached_ms) == ("replaced", START_MS)
    assert (second.stream_sid, second.epoch, second.cause, second.gap_ms) == ("MZ2", 2, "crash", 5)


def test_attaching_forgets_the_plan_the_half_word_and_the_pause_between_keys() -> None:
    story = Story()
    story.write(
        attached(),
        e.RestartPlanned(request="r", cause="dtmf"),
        e.CallerBegan(),
        e.DigitPressed(digit="1"),
        e.EndingStarted(),
        detached(),
    )
    story.now_ms += 60_000
    call = story.write(attached("MZ2"))
    assert call.planned_cause is None
    assert not call.is_caller_speaking
    assert not call.is_ending_started
    assert (call.digits_pending, call.digit_ms) == ("1", START_MS + 60_000)


def test_a_stream_goes_once_and_only_the_last_one_takes_the_call_with_it() -> None:
    story = Story()
    story.write(attached())
    call = story.write(attached("MZ2"), detached("MZ1", "late"))
    assert (call.phase, call.streams[0].reason) == ("live", "replaced")
    call = story.write(detached("MZ2", "idle"))
    assert (call.phase, call.streams[1].reason) == ("detached", "idle")
    assert call.streams[1].last_media_ms == 9
    call = story.write(detached("MZ2", "again"))
    assert call.streams[1].reason == "idle"


def test_a_carrier_that_uses_a_stream_sid_again_closes_only_the_open_stream() -> None:
    story = Story()
    story.write(attached(), detached("MZ1", "stop"), attached("MZ1", "drop"))
    call = story.write(detached("MZ1", "idle"))
    assert [stream.reason for stream in call.streams] == ["stop", "idle"]


def test_a_lost_context_is_confessed_and_never_greeted() -> None:
    story = Story()
    call = story.write(attached(), e.ContextLost(reason="gone"))
    assert call.is_context_lost
    assert call.is_greeted
    assert call.turn == Turn(2, "context_lost", position=2)


def test_an_ended_call_stays_ended() -> None:
    story = Story()
    story.write(attached(), e.HangupRequested(request="r"))
    story.now_ms += 10
    call = story.write(e.CallEnded(reason="completed"))
    assert (call.phase, call.end_reason, call.ended_ms) == ("ended", "completed", START_MS + 10)
    assert (call.streams[0].reason, call.requests, call.turn) == ("ended", (), None)
    story.now_ms += 10
    call = story.write(e.CallEnded(reason="again"), detached(), attached("MZ2"))
    assert (call.phase, call.end_reason, call.ended_ms) == ("ended", "completed", START_MS + 10)
    assert [stream.reason for stream in call.streams] == ["ended", "ended"]
    assert call.turn is None


def test_a_stream_that_was_gone_before_the_end_keeps_its_reason() -> None:
    story = Story()
    call = story.write(attached(), detached("MZ1", "idle"), e.CallEnded(reason="completed"))
    assert [stream.reason for stream in call.streams] == ["idle"]


def test_a_planned_ending_closes_the_turn_and_the_requests_to_end() -> None:
    story = Story()
    story.write(
        attached(),
        e.HangupRequested(request="r1"),
        e.TransferRequested(request="r2", to_number="+1"),
        e.SayRequested(request="r3", text="Bye."),
    )
    call = story.write(e.EndingPlanned(ending="transfer", to_number="+1"))
    assert (call.ending, call.ending_to, call.turn) == ("transfer", "+1", None)
    assert [request.request for request in call.requests] == ["r3"]
    assert story.write(e.EndingStarted()).is_ending_started


@pytest.mark.parametrize(("turn", "is_open"), [(1, False), (2, True)])
def test_only_the_open_turn_is_answered(turn: int, *, is_open: bool) -> None:
    story = Story()
    call = story.write(attached(), e.TurnAnswered(turn=turn))
    assert (call.turn is not None) is is_open
    assert story.write(e.TurnAnswered(turn=1)).turn is None
    assert story.write(e.TurnAnswered(turn=1)).turn is None


def test_a_stage_is_entered() -> None:
    assert Story().write(e.StageChanged(stage="intake")).stage == "intake"


def test_a_models_handle_is_kept() -> None:
    assert Story().write(e.ResumeTokenKept(token=b"abc")).resume_token == b"abc"


def test_a_stream_that_broke_is_marked_until_its_holder_writes_its_end() -> None:
    """O-3: the carrier may tell it to another server than the one that holds the call."""
    story = Story()
    story.write(attached("MZ1"), attached("MZ2"))
    call = story.write(e.StreamError(stream_sid="MZ1", code=31903), is_outside=True)
    assert [one.is_broken for one in call.streams] == [False, False], "MZ1 was gone before"
    call = story.write(e.StreamError(stream_sid="MZ2"), is_outside=True)
    assert [one.is_broken for one in call.streams] == [False, True]
    assert (call.phase, call.is_broken()) == ("live", True)
    call = story.write(e.StreamDetached(stream_sid="MZ2", reason="error", last_media_ms=1))
    assert not call.is_broken()
    assert (call.phase, call.drops_since(0)) == ("detached", 1)


def test_of_a_call_without_a_holder_is_known_when_it_was_seen_last() -> None:
    story = Story()
    assert story.write(e.CallAdopted(server="b", seen_ms=7), is_outside=True).streams == ()
    story.write(attached("MZ1"))
    call = story.write(e.CallAdopted(server="b", seen_ms=8), is_outside=True)
    assert (call.phase, call.streams[-1].last_media_ms) == ("live", 8)
    story.write(e.StreamDetached(stream_sid="MZ1", reason="closed", last_media_ms=9))
    call = story.write(e.CallAdopted(server="b", seen_ms=10), is_outside=True)
    assert call.streams[-1].last_media_ms == 9


def test_that_the_carrier_was_asked_for_its_next_document_stands_with_the_last_stream() -> None:
    story = Story()
    assert story.write(e.PulledBack(outcome="done"), is_outside=True).streams == ()
    story.write(attached("MZ1"), detached("MZ1"), attached("MZ2"), detached("MZ2"))
    story.now_ms += 10
    call = story.write(e.PulledBack(outcome="done"), is_outside=True)
    assert [one.pulled_ms for one in call.streams] == [0, START_MS + 10]


def test_too_many_drops_and_the_call_before_are_known() -> None:
    story = Story()
    story.write(e.CallOpened(call_sid="CA1", continues="CA0"))
    call = story.write(e.DropLimitReached(drops=3))
    assert (call.continues, call.is_drop_limited) == ("CA0", True)


def test_a_greeting_that_stayed_outside_was_heard_all_the_same() -> None:
    story = Story()
    story.write(e.CallOpened(call_sid="CA1"))
    apart = e.encode(e.Greeted(prompt="p1")).decode()
    call = story.write(e.BranchOrphaned(epoch=1, count=1, lost=("{}",)), is_outside=True)
    assert not call.is_greeted_apart
    call = story.write(e.BranchOrphaned(epoch=1, count=2, lost=("{}", apart)), is_outside=True)
    assert call.is_greeted_apart
    assert not call.is_known()


def test_facts_that_stayed_outside_are_counted_and_change_nothing_else() -> None:
    story = Story()
    before = story.write(attached("MZ1"))
    call = story.write(e.BranchOrphaned(epoch=1, count=3, lost=("{}",)), is_outside=True)
    call = story.write(e.BranchOrphaned(epoch=2, count=2), is_outside=True)
    assert call.orphaned == 5
    assert (call.streams, call.transcript, call.phase) == (
        before.streams,
        before.transcript,
        "live",
    )


def test_an_ending_that_is_refused_is_none_and_what_tools_brought_meanwhile_is_told() -> None:
    story = Story()
    story.write(
        attached(),
        e.TurnAnswered(turn=1),
        e.OperationRequested(
            operation="t1.1",
            tool="lookup",
            arguments={},
            turn=1,
            is_idempotent=True,
            attempts_max=1,
            deadline_ms=9,
        ),
    )
    planned = e.EndingPlanned(ending="transfer", to_number="+1", is_last_resort=True)
    assert story.write(planned, e.EndingStarted()).is_last_resort
    ended = e.OperationEnded(operation="t1.1", status="succeeded", result="{}")
    assert story.write(ended).turn is None
    call = story.write(e.EndingRefused(detail="a page"))
    assert (call.ending, call.ending_to, call.phase) == ("", "", "live")
    assert not call.is_ending_started
    assert not call.is_last_resort
    assert call.turn is not None
    assert call.turn.reason == "operation"
