import pytest

from service.call import events as e
from service.call.callback import (
    AGAIN_MS,
    ANSWER_MS,
    ATTEMPTS_MAX,
    DELAY_MS,
    RING_MS,
    Callback,
    due_ms,
    told,
)


def after(*facts: e.Fact) -> Callback | None:
    """What is known when each fact came a second after the one before."""
    callback = None
    for at_s, fact in enumerate(facts):
        callback = told(callback, fact, at_s * 1_000)
    return callback


ASKED = e.CallbackRequested(by="rule")


def rung(attempt: int, outcome: str = "busy") -> tuple[e.Fact, ...]:
    return (
        e.CallbackDialled(attempt=attempt),
        e.CallbackPlaced(attempt=attempt, call_sid=f"CA{attempt}"),
        e.CallbackEnded(attempt=attempt, outcome=outcome),
    )


def test_nothing_is_due_of_what_nobody_asked_for() -> None:
    assert due_ms(None) is None
    assert told(None, e.CallbackDialled(attempt=1), 0) is None
    assert told(None, e.CallEnded(reason="x"), 0) is None


def test_each_step_is_due_after_the_one_before() -> None:
    steps = (ASKED, *rung(1))
    due = [due_ms(after(*steps[: count + 1])) for count in range(4)]
    assert due == [DELAY_MS, 1_000 + ANSWER_MS, 2_000 + RING_MS, 3_000 + AGAIN_MS]


def test_the_wait_doubles_and_there_is_a_last_attempt() -> None:
    facts = [ASKED, *rung(1), *rung(2)]
    assert due_ms(after(*facts)) == 6_000 + 2 * AGAIN_MS
    facts.extend(fact for attempt in range(3, ATTEMPTS_MAX + 1) for fact in rung(attempt))
    assert due_ms(after(*facts)) is None


@pytest.mark.parametrize("outcome", ["completed", "answered"])
def test_who_was_reached_is_not_rung_again(outcome: str) -> None:
    assert due_ms(after(ASKED, *rung(1, outcome))) is None


def test_news_of_another_attempt_changes_nothing() -> None:
    known = after(ASKED, *rung(1)[:2])
    for late in (e.CallbackDialled(attempt=1), e.CallbackDialled(attempt=3), *rung(2)[1:]):
        assert told(known, late, 9_000) == known
    ended = after(ASKED, *rung(1))
    assert told(ended, rung(1)[1], 9_000) == ended


def test_a_new_request_begins_anew() -> None:
    assert after(ASKED, *rung(1), e.CallbackRequested(by="person")) == Callback(
        "requested", 4_000, requests=2
    )
