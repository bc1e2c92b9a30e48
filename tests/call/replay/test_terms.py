"""The policy that a call was decided by, read from its facts."""

from collections.abc import Callable

import pytest

from service.call import events as e, inputs as i
from service.call.policy import Policy
from service.call.replay.replay import replay
from service.call.replay.terms import supposed_policy
from tests.call.replay.scenes import RULES, SCENES, TERMS, away, dropping, silent, taped, working
from tests.call.story import Story, greeted


def test_a_call_that_tells_nothing_has_the_default() -> None:
    assert supposed_policy([]) == Policy()
    assert supposed_policy(greeted(Policy()).journal) == Policy()


def test_the_terms_of_tools_stand_in_the_facts_that_ask_for_them() -> None:
    tools = supposed_policy(working().journal).tools
    assert tools == RULES.tools
    assert "gone" not in tools


def test_the_tool_that_tells_a_person_is_known_by_its_operation() -> None:
    story = greeted(RULES)
    story.write(e.TransferRequested(request="r1", to_number="+1"), is_outside=True)
    story.settle()
    known = supposed_policy(story.journal)
    assert (known.summary_tool, known.tools) == ("lookup", {"lookup": TERMS})


def test_a_limit_that_was_reached_is_known() -> None:
    known = supposed_policy(dropping().journal)
    assert (known.drops_max, known.calls_back) == (2, True)


@pytest.mark.parametrize("drops", [3, 14])
def test_drops_that_were_borne_are_within_the_limit(drops: int) -> None:
    story = greeted(Policy(drops_max=50))
    for _ in range(drops):
        away(story, 100)
    assert supposed_policy(story.journal).drops_max == max(10, drops)


def test_a_short_patience_is_known_and_a_late_timer_is_none() -> None:
    story = greeted(Policy(no_input_ms=3_000))
    story.now_ms += 3_000
    story.happen(i.Woke())
    assert supposed_policy(story.journal).no_input_ms == 3_000
    assert supposed_policy(silent().journal).no_input_ms == 8_000


def test_a_limit_that_another_write_reached_is_not_this_streams() -> None:
    story = Story(Policy(drops_max=50))
    story.opened()
    story.attach("MZ1", door="voice")
    story.now_ms += 5
    story.write(e.DropLimitReached(drops=3), is_outside=True)
    assert supposed_policy(story.journal).drops_max == 10


def test_a_call_of_no_attempts_breaks_nothing() -> None:
    story = greeted(RULES)
    asked = e.OperationRequested(
        operation="t1.1", tool="odd", arguments={}, turn=1, is_idempotent=True, attempts_max=0,
        deadline_ms=story.now_ms + 7,
    )  # fmt: skip
    story.write(asked)
    assert supposed_policy(story.journal).tools["odd"].timeout_ms == 7


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_supposed_never_differs_where_it_matters(scene: Callable[[], Story]) -> None:
    tape = taped(scene())
    assert replay(tape, supposed_policy(tape.facts())).is_same
