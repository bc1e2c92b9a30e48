import pytest

from service.call import events as e
from service.call.events import Known
from service.call.state import Note, Request
from tests.call.story import START_MS, Story


@pytest.mark.parametrize(
    ("fact", "request_made"),
    [
        (e.DigitsRequested(request="r", digits="1w"), Request("r", "digits", "1w")),
        (e.SayRequested(request="r", text="Hi"), Request("r", "say", "Hi")),
        (e.TransferRequested(request="r", to_number="+1"), Request("r", "transfer", "+1")),
        (e.HangupRequested(request="r"), Request("r", "hangup")),
    ],
)
def test_what_a_person_asks_for_waits_in_the_state(fact: Known, request_made: Request) -> None:
    assert Story().write(fact).requests == (request_made,)


def test_requests_wait_in_their_order() -> None:
    call = Story().write(e.HangupRequested(request="a"), e.SayRequested(request="b", text="x"))
    assert [request.request for request in call.requests] == ["a", "b"]


def planned() -> Story:
    story = Story()
    story.write(
        e.DigitsRequested(request="r1", digits="1"),
        e.DigitsRequested(request="r2", digits="2"),
        e.RestartPlanned(request="r1", cause="dtmf"),
    )
    return story


def test_a_planned_restart_is_begun_for_its_request_alone() -> None:
    call = planned().call
    assert call.planned_cause == "dtmf"
    assert [request.is_started for request in call.requests] == [True, False]


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [("sent", "dtmf"), ("unknown", "dtmf"), ("failed", None), ("call_gone", None)],
)
def test_the_restart_is_off_only_when_the_digits_did_not_go(
    outcome: str, cause: str | None
) -> None:
    call = planned().write(e.DigitsSent(request="r1", outcome=outcome))
    assert [request.request for request in call.requests] == ["r2"]
    assert call.planned_cause == cause


def test_a_restart_that_was_missed_is_no_longer_planned() -> None:
    call = planned().write(e.RestartMissed())
    assert call.planned_cause is None


def test_a_planned_move_is_a_planned_restart_of_its_own_cause() -> None:
    call = Story().write(e.MovePlanned())
    assert (call.planned_cause, call.planned_ms) == ("deploy", START_MS)


def test_a_note_stands_with_its_place_and_writer() -> None:
    call = Story().write(e.NoteAdded(text="VIP", by="ann"))
    assert call.notes == (Note(1, "VIP", "ann", START_MS),)


def test_with_a_person_in_the_agents_place_only_they_speak_and_it_shows_that_they_are_there() -> (
    None
):
    story = Story()
    story.write(e.TakeoverRequested(request="t", by="Ana", seat="a"))
    story.now_ms += 9
    call = story.write(e.SayRequested(request="r1", text="x", seat="b"))
    assert call.requests == ()
    call = story.write(e.SayRequested(request="r2", text="x", seat="a"))
    assert [request.request for request in call.requests] == ["r2"]
    assert call.taken_over is not None
    assert call.taken_over.seen_ms == START_MS + 9
