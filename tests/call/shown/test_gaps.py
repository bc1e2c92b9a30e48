from typing import Any

import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions import resume as table
from service.call.policy import Policy, ToolTerms
from service.call.privacy import DROP_LINE, KEY_LINE, PAY_LINE
from service.call.shown.gaps import GAVE_UP, LIMIT_REACHED, LINES, PLAIN, TOOL_TOLD, Gap, gap_now
from service.call.shown.timeline import Timeline
from tests.call.story import START_MS, Story, greeted, speaking, whole


def gaps(story: Story) -> list[Gap]:
    timeline = Timeline()
    timeline.add_all(story.journal)
    return timeline.gaps()


def back(story: Story, gap_ms: int = 100, **more: Any) -> Gap:
    """The stream goes and comes back; return the gap."""
    story.drop()
    story.now_ms += gap_ms
    story.attach("MZ2", gap_ms=gap_ms, **more)
    return gaps(story)[-1]


def test_a_call_without_a_drop_has_no_gap() -> None:
    story = greeted()
    assert gaps(story) == []
    assert gap_now(story.call, story.now_ms) is None


def test_a_gap_is_as_long_as_nothing_was_heard() -> None:
    story = greeted()
    story.now_ms += 5_000
    story.drop("idle")
    story.now_ms += 300
    story.attach("MZ2", gap_ms=2_300)
    (gap,) = gaps(story)
    assert (gap.from_ms, gap.to_ms, gap.gap_ms) == (START_MS + 3_000, START_MS + 5_300, 2_300)
    assert (gap.cause, gap.reason) == ("drop", "idle")


def test_a_stream_that_is_replaced_says_so() -> None:
    story = greeted()
    story.attach("MZ2", is_live_here=True)
    (gap,) = gaps(story)
    assert (gap.reason, gap.gap_ms) == ("replaced", 0)


def test_a_stream_that_comes_to_a_call_that_is_over_ends_no_gap() -> None:
    story = greeted()
    story.drop()
    story.write(e.CallEnded(reason="completed"), is_outside=True)
    story.attach("MZ2")
    assert gaps(story) == []


def test_every_row_of_the_table_has_its_words() -> None:
    spoken = {"lost", "last_resort"}  # facts of their own tell these
    assert {row for row, _, _ in table.TABLE} - spoken == set(PLAIN)
    of_privacy = {DROP_LINE, KEY_LINE, PAY_LINE}
    of_table = {table.INTERRUPTED_LINE, table.SILENCE_LINE, table.WORKING_LINE, table.LOST_LINE}
    assert of_table | of_privacy == set(LINES)


@pytest.mark.parametrize(
    ("gap_ms", "words"), [(100, PLAIN["silence"]), (2_500, LINES[table.SILENCE_LINE])]
)
def test_silence_is_passed_over_or_told(gap_ms: int, words: str) -> None:
    gap = back(greeted(), gap_ms)
    assert gap.restored == (words,)
    assert gap.playing is None


def test_a_half_utterance_is_kept_or_asked_for() -> None:
    story = greeted()
    story.happen(i.SpeechBegan())
    gap = back(story, 100, is_held_here=True)
    assert gap.caller_was_speaking
    assert gap.restored == (PLAIN["interrupted"],)
    story = greeted()
    story.happen(i.SpeechBegan())
    assert back(story, 100, is_held_here=False).restored == (LINES[table.INTERRUPTED_LINE],)


def test_a_sentence_of_ours_goes_on() -> None:
    story = speaking()
    name = story.call.prompts[0].prompt
    played = e.Played(
        prompt=name, clauses=0, part_samples=4_000, part_of_samples=16_000, part_words=2,
        heard_samples=4_000,
    )  # fmt: skip
    story.drop("closed", played)
    story.attach("MZ2", gap_ms=10)
    (gap,) = gaps(story)
    assert gap.playing is not None
    assert (gap.playing.prompt, gap.playing.heard) == (name, "Thank you")
    assert gap.playing.rest == gap.playing.text.removeprefix("Thank you ")
    assert gap.restored == (PLAIN["playing"],)
    story.hear_out()
    (gap,) = gaps(story)
    assert (gap.missed_by_caller, gap.restored) == ("", (PLAIN["playing"],))


def test_what_is_cut_before_it_went_on_was_missed() -> None:
    story = speaking()
    story.happen(i.Settle())
    back(story)
    rest = " ".join(line.text for line in story.call.transcript if line.text.startswith("Thank"))
    story.happen(i.BargedIn())
    gap = gaps(story)[-1]
    assert gap.missed_by_caller == rest
    assert gap.restored == (GAVE_UP,)


def test_what_is_cut_after_it_went_on_is_an_ordinary_barge_in() -> None:
    story = speaking()
    back(story)
    prompt = story.call.prompts[0]
    some = e.Played(
        prompt=prompt.prompt, clauses=0, part_samples=800, part_of_samples=8_000, heard_samples=800
    )
    story.happen(i.Progress((some,)))
    story.happen(i.BargedIn((some,)))
    gap = gaps(story)[-1]
    assert (gap.missed_by_caller, gap.restored) == ("", (PLAIN["playing"],))


def test_a_second_prompt_that_is_given_up_was_missed_too() -> None:
    story = speaking()
    story.write(e.AgentSpoke(prompt="p9", clauses=("And one more thing.",)))
    back(story)
    first = story.call.prompts[0]
    story.write(whole(first.prompt, first.clauses), e.SpeechCut(prompt="p9", reason="replaced"))
    gap = gaps(story)[-1]
    assert (gap.missed_by_caller, gap.restored) == ("And one more thing.", (PLAIN["playing"],))


def test_an_answer_that_was_owed_comes() -> None:
    story = greeted()
    story.happen(i.Utterance("It's me."))
    assert back(story).restored == (PLAIN["answering"],)


def test_what_a_tool_brought_is_told() -> None:
    terms = {"look_up": ToolTerms(is_idempotent=True, attempts_max=1, timeout_ms=50_000)}
    story = greeted(Policy(tools=terms))
    story.happen(i.Utterance("It's me."))
    story.happen(i.Answered(2, (a.UseTool("look_up"),)))
    working = back(story, 100, running=("o1",))
    assert working.restored == (PLAIN["working"],)
    (one,) = story.call.operations
    story.drop()
    story.happen(i.OperationDone(one.operation, 1, "succeeded", result='"found"'))
    story.attach("MZ3")
    assert gaps(story)[-1].restored == (TOOL_TOLD,)


def test_a_lost_context_is_told() -> None:
    story = greeted()
    assert back(story, lost="gone").restored == (LINES[table.LOST_LINE],)


def test_too_many_drops_stop_the_attempts() -> None:
    story = greeted(Policy(drops_max=0))
    assert back(story).restored[-1] == LIMIT_REACHED


def test_words_said_later_are_no_part_of_the_gap() -> None:
    story = greeted()
    before = back(story)
    story.write(e.AgentSpoke(prompt="p7", clauses=("By the way.",)))
    story.now_ms += 5_000
    story.write(e.AgentSpoke(prompt="p8", clauses=(table.SILENCE_LINE,)))
    assert gaps(story) == [before]


def test_a_crash_leaves_no_moment_of_its_own() -> None:
    """The stream has no end yet when the next one comes."""
    story = greeted()
    story.now_ms += 4_000
    story.attach("MZ2", gap_ms=1_500)
    (gap,) = gaps(story)
    assert (gap.cause, gap.from_ms, gap.to_ms) == ("crash", START_MS + 2_500, START_MS + 4_000)
