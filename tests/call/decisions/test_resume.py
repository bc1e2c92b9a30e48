import pytest
from msgspec.structs import replace

from service.call.decisions.resume import (
    INTERRUPTED_LINE,
    LOST_LINE,
    SILENCE_LINE,
    SILENCE_MS,
    STALE_MS,
    STILL_RIGHT,
    TABLE,
    WORDS_LOST_MS,
    WORKING_LINE,
    Plan,
    Return,
    resume,
)
from service.call.policy import Policy
from service.call.privacy import (
    CONSENT,
    DROP_LINE,
    HOW_LINE,
    KEY_LINE,
    PAY_LINE,
    Collection,
    Privacy,
)
from service.call.seat import Seat
from service.call.state import Call, Field, Operation, Prompt, StreamEntry, Turn

NOW_MS = 10_000_000
NUMBER = Collection("c1", "card", 4, 8, is_card=False)
QUIET = Call(is_greeted=True, phase="detached", updated_ms=NOW_MS)
LIMITS = Policy(drops_max=2, window_ms=60_000)
RUNNING = Operation(
    "t1.1", "lookup", {}, 1, is_idempotent=True, attempts_max=1, deadline_ms=NOW_MS + 1
)
FIELDS = {"name": Field("Maria"), "ticket_id": Field("TKT-1")}


def drops(count: int, ago_ms: int = 0) -> tuple[StreamEntry, ...]:
    one = StreamEntry("MZ", 1, "drop", 0, 0, detached_ms=NOW_MS - ago_ms, reason="closed")
    return (one,) * count


def back(call: Call, *, gap_ms: int = 0, lost: str = "") -> Plan:
    return resume(Return(call, gap_ms, NOW_MS, lost, LIMITS))


def test_a_lost_state_is_confessed() -> None:
    assert back(QUIET, lost="gone") == Plan("lost", LOST_LINE)


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_lost_state_is_not_confessed_in_a_persons_place(*, is_taken: bool) -> None:
    """Seeds 5002469 and 5061598 of the simulation: who asks for another person's place has not taken it yet."""
    held = replace(QUIET, taken_over=Seat("Ana", "a", 1, 1, is_taken=is_taken))
    assert back(held, lost="gone") == Plan("lost")


@pytest.mark.parametrize(("count", "row"), [(0, "silence"), (2, "silence"), (3, "last_resort")])
def test_more_drops_than_the_limit_are_the_last_resort(count: int, row: str) -> None:
    assert back(replace(QUIET, streams=drops(count))) == Plan(row)


@pytest.mark.parametrize(("ago_ms", "row"), [(60_000, "last_resort"), (60_001, "silence")])
def test_only_drops_within_the_window_count(ago_ms: int, row: str) -> None:
    assert back(replace(QUIET, streams=drops(3, ago_ms))) == Plan(row)


def test_who_was_not_greeted_yet_is_greeted_by_the_agent() -> None:
    assert back(replace(QUIET, is_greeted=False), gap_ms=9_000) == Plan("opening")


def test_an_ending_goes_on() -> None:
    assert back(replace(QUIET, ending="hangup"), gap_ms=9_000) == Plan("ending")


def test_a_sentence_that_was_playing_goes_on() -> None:
    playing = replace(QUIET, prompts=(Prompt("p1", 1, ("Hi.",)),))
    assert back(playing, gap_ms=9_000) == Plan("playing")


def test_an_answer_that_is_owed_comes() -> None:
    assert back(replace(QUIET, turn=Turn(2, "speech")), gap_ms=9_000) == Plan("answering")


@pytest.mark.parametrize(
    ("gap_ms", "line"), [(0, ""), (SILENCE_MS - 1, ""), (SILENCE_MS, WORKING_LINE)]
)
def test_a_tool_at_work_is_told_of_after_a_longer_gap(gap_ms: int, line: str) -> None:
    working = replace(QUIET, operations=(RUNNING,))
    assert back(working, gap_ms=gap_ms) == Plan("working", line)


@pytest.mark.parametrize(
    "change", [{"deadline_ms": NOW_MS}, {"status": "succeeded"}, {"turn": 0}], ids=str
)
def test_a_tool_that_is_done_overdue_or_our_own_is_not_waited_for(
    change: dict[str, object],
) -> None:
    working = replace(QUIET, operations=(replace(RUNNING, **change),))
    assert back(working).row == "silence"


@pytest.mark.parametrize(("age_ms", "row"), [(STALE_MS - 1, "silence"), (STALE_MS, "stale")])
def test_old_facts_are_confirmed(age_ms: int, row: str) -> None:
    assert back(replace(QUIET, updated_ms=NOW_MS - age_ms, fields=FIELDS)).row == row


def test_the_confirmation_names_the_facts() -> None:
    plan = back(replace(QUIET, updated_ms=0, fields=FIELDS))
    known = "name Maria, ticket id TKT-1"
    assert plan.line == f"Just to make sure I have this right: {known}. Is that still right?"
    assert plan.asks == STILL_RIGHT


def test_an_old_state_that_knows_nothing_has_nothing_to_confirm() -> None:
    assert back(replace(QUIET, updated_ms=0)).row == "silence"


@pytest.mark.parametrize(
    ("gap_ms", "line"), [(0, ""), (WORDS_LOST_MS - 1, ""), (WORDS_LOST_MS, INTERRUPTED_LINE)]
)
def test_a_caller_cut_off_is_asked_again_if_the_gap_cost_words(gap_ms: int, line: str) -> None:
    assert back(replace(QUIET, is_caller_speaking=True), gap_ms=gap_ms) == Plan("interrupted", line)


def test_half_an_utterance_that_another_process_heard_is_lost_however_short_the_gap() -> None:
    speaking = replace(QUIET, is_caller_speaking=True)
    plan = resume(Return(speaking, 0, NOW_MS, "", LIMITS, is_held_here=False))
    assert plan == Plan("interrupted", INTERRUPTED_LINE)


@pytest.mark.parametrize(
    ("heard_ms", "line"), [(1_701, ""), (1_700, INTERRUPTED_LINE), (0, INTERRUPTED_LINE)]
)
def test_what_was_heard_of_the_gap_on_another_stream_is_not_asked_for(
    heard_ms: int, line: str
) -> None:
    speaking = replace(QUIET, is_caller_speaking=True)
    plan = resume(Return(speaking, 2_000, NOW_MS, "", LIMITS, heard_ms=heard_ms))
    assert plan == Plan("interrupted", line)


def test_half_typed_digits_stand() -> None:
    assert back(replace(QUIET, digits_pending="12"), gap_ms=9_000) == Plan("keying")


@pytest.mark.parametrize(
    ("gap_ms", "line"), [(0, ""), (SILENCE_MS - 1, ""), (SILENCE_MS, SILENCE_LINE)]
)
def test_silence_is_broken_only_after_a_longer_gap(gap_ms: int, line: str) -> None:
    assert back(QUIET, gap_ms=gap_ms) == Plan("silence", line)


def test_the_rows_take_precedence_from_the_top() -> None:
    """Everything at once is the first row; taking each row's cause away gives the next."""
    call = Call(
        is_greeted=False,
        updated_ms=0,
        streams=drops(3),
        ending="hangup",
        prompts=(Prompt("p1", 1, ("Hi.",)),),
        turn=Turn(2, "speech"),
        operations=(RUNNING,),
        fields=FIELDS,
        is_caller_speaking=True,
        digits_pending="12",
        taken_over=Seat("Ana", "a", 1, 1),
        privacy=Privacy(consent="asked", collection=NUMBER),
    )
    rows = [back(call, lost="gone").row, back(call).row]
    changes: tuple[dict[str, object], ...] = (
        {"streams": ()},
        {"taken_over": None},
        {"privacy": Privacy(collection=NUMBER)},
        {"is_greeted": True},
        {"ending": ""},
        {"privacy": Privacy()},
        {"prompts": ()},
        {"turn": None},
        {"operations": ()},
        {"fields": {}},
        {"is_caller_speaking": False},
        {"digits_pending": ""},
    )
    for change in changes:
        call = replace(call, **change)
        rows.append(back(call).row)
    assert rows == [name for name, _, _ in TABLE]


def test_consent_is_asked_for_again_unless_the_question_goes_on_by_itself() -> None:
    call = replace(QUIET, privacy=Privacy(consent="asked"))
    policy = Policy(consent_text="May I take notes?")
    asked = resume(Return(call, 900, NOW_MS, "", policy))
    assert asked == Plan("consent", f"May I take notes? {HOW_LINE}", CONSENT)
    playing = replace(call, prompts=(Prompt("p1", 1, ("May I?",)),))
    assert resume(Return(playing, 900, NOW_MS, "", policy)) == Plan("consent", "", CONSENT)


@pytest.mark.parametrize(
    ("number", "gap_ms", "is_held_here", "line"),
    [
        (NUMBER, SILENCE_MS, True, KEY_LINE),
        (NUMBER, SILENCE_MS - 1, True, ""),
        (replace(NUMBER, keys=3), 1, True, DROP_LINE),
        (replace(NUMBER, keys=4, is_passed=True), SILENCE_MS, True, ""),
        (replace(NUMBER, keys=4, is_passed=True), SILENCE_MS, False, DROP_LINE),
    ],
)
def test_of_a_number_under_seal_nothing_outlives_the_stream(
    number: Collection, gap_ms: int, line: str, *, is_held_here: bool
) -> None:
    call = replace(QUIET, privacy=Privacy(collection=number))
    back = Return(call, gap_ms, NOW_MS, "", LIMITS, is_held_here=is_held_here)
    assert resume(back) == Plan("collecting", line, "card")


def test_a_card_that_the_carrier_left_without_a_word_is_asked_for_again() -> None:
    one = Collection("c1", "card", 13, 19, is_card=True, is_passed=True, sink="pay")
    call = Call(is_greeted=True, privacy=Privacy(collection=one))
    assert resume(Return(call, 0, 0, "", Policy())).line == PAY_LINE
    assert resume(Return(call, 0, 0, "", Policy(), is_asking=True)).line == ""
    last = Call(is_greeted=True, privacy=Privacy(collection=replace(one, rounds=3)))
    assert resume(Return(last, 0, 0, "", Policy())).line == ""
