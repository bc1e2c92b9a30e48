import logging

import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.shown.incidents import KINDS, Kind
from tests.call.story import whole
from tests.sight.seen import Kept, Watched


def greeted(traces: Kept | None = None) -> Watched:
    """A call that was greeted, and heard it."""
    story = Watched(traces)
    story.opened(client_name="Maria")
    story.attach("MZ1", door="voice")
    story.happen(i.Answered(1, (a.Ask("Hello, who is there?", "name"),)))
    story.hear_out()
    return story


def back(story: Watched, reason: str = "closed", gap_ms: int = 500) -> None:
    """The stream goes, and comes back."""
    story.now_ms += 1_000
    story.drop(reason)
    story.now_ms += gap_ms
    story.attach(f"MZ{story.epoch + 1}", gap_ms=gap_ms)
    story.hear_out()


def answered(story: Watched, text: str, *acts: a.Act) -> None:
    story.happen(i.Utterance(text))
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, acts))
    story.hear_out()


def lose(story: Watched, kind: Kind) -> None:
    """Provoke an incident of one kind."""
    match kind:
        case "state_missing":
            story.attach("MZ9", lost="the journal was gone")
        case "fold_mismatch":
            story.write(e.StateDiffered(server="s1", position=3))
        case "asked_again":
            answered(story, "Maria.", a.Fill("name", "Maria"), a.Confirm("name"))
            answered(story, "Well.", a.Ask("What is your name?", "name"))
        case "told_already":
            story.happen(i.Utterance("I already told you."))


@pytest.mark.parametrize("kind", KINDS)
def test_an_incident_of_each_kind_is_counted_once_logged_and_traced(
    kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    traces = Kept()
    story = Watched(traces) if kind == "state_missing" else greeted(traces)
    lose(story, kind)
    back(story)
    assert story.counted("context_losses_total", kind=kind) == 1
    assert sum(story.counted("context_losses_total", kind=one) for one in KINDS) == 1
    (line,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert line.message.startswith(f"! context lost: {kind}, at position ")
    assert vars(line)["action"] == f"context_{kind}"
    (span,) = traces.named("context_loss")
    assert span.is_failed
    assert span.attributes["stayline.context_loss.kind"] == kind


def test_a_fact_is_looked_at_in_the_state_that_those_before_it_in_its_write_left() -> None:
    story = greeted()
    asked = e.AgentSpoke("p7", ("What is your name?",), asks="name", turn=1)
    story.write(asked, e.FieldFilled("name", "Maria", source="speech"))
    assert story.counted("context_losses_total", kind="asked_again") == 0
    story.write(e.FieldConfirmed("name"), asked, e.FieldCleared("name"), asked)
    assert story.counted("context_losses_total", kind="asked_again") == 1


def test_a_drop_is_counted_by_its_reason_and_what_nobody_heard_by_its_length() -> None:
    story = greeted()
    answered(story, "It's me.")
    story.happen(i.Utterance("Well."))
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, (a.Say("I will look it up right now."),)))
    (prompt,) = story.call.prompts
    half = e.Played(prompt=prompt.prompt, clauses=0, part_samples=4_000, part_of_samples=16_000,
                    synthesised_samples=16_000, sent_samples=12_000, heard_samples=4_000)  # fmt: skip
    story.drop("closed 1006", half)
    story.now_ms += 700
    story.attach("MZ2", gap_ms=700)
    assert story.counted("streams_detached_total", reason="closed") == 1
    assert story.counted("unheard_outbound_seconds_total") == 1.0
    assert story.counted("unheard_inbound_seconds_total") == 0.7


def test_a_reason_of_no_list_of_ours_is_other() -> None:
    story = greeted()
    back(story, reason="a peer's own words")
    assert story.counted("streams_detached_total", reason="other") == 1


def test_a_turn_takes_from_the_callers_words_to_the_first_sound_that_was_heard() -> None:
    story = greeted()
    story.happen(i.Utterance("It's me."))
    story.now_ms += 300
    story.happen(i.Answered(2, (a.Say("Thank you."), a.Say("I see."))))
    story.now_ms += 1_100
    first, second = story.call.prompts
    story.happen(i.Progress((whole(first.prompt, first.clauses),)))
    assert story.counted("turn_duration_seconds_sum") == pytest.approx(0.4)
    story.now_ms += 1_000
    story.happen(i.Progress((whole(second.prompt, second.clauses),)))
    assert story.counted("turn_duration_seconds_count") == 1


def test_an_answer_that_a_drop_came_before_is_no_slow_turn() -> None:
    story = greeted()
    story.happen(i.Utterance("It's me."))
    back(story)
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, (a.Say("Thank you."),)))
    story.now_ms += 1_100
    story.hear_out()
    assert story.counted("turn_duration_seconds_count") == 0


def test_interruptions_and_the_ends_of_tools_are_counted() -> None:
    story = greeted()
    story.happen(i.Utterance("It's me."))
    story.happen(i.Answered(2, (a.Say("Thank you for the answer. I will look it up."),)))
    story.happen(i.BargedIn())
    assert story.counted("barge_ins_total") == 1
    asked = e.OperationRequested(operation="o1", tool="look", arguments={}, turn=2,
                                 is_idempotent=True, attempts_max=1, deadline_ms=0)  # fmt: skip
    story.write(asked)
    story.now_ms += 2_000
    story.write(e.OperationEnded(operation="o1", status="succeeded"))
    story.write(e.OperationEnded(operation="o1", status="failed"))
    assert story.counted("operations_total", status="succeeded") == 1
    assert story.counted("operations_total", status="failed") == 0
    assert story.counted("operation_duration_seconds_sum") == 2.0


def test_a_conversation_that_went_on_after_a_drop_has_survived() -> None:
    story = greeted()
    back(story)
    story.write(e.CallEnded(reason="completed"))
    story.sight.ended(story.call)
    assert story.counted("conversations_total", outcome="survived") == 1
    assert story.counted("calls_ended_total") == 1
    assert story.counted("streams_detached_total", reason="ended") == 1


def test_an_abandoned_call_that_is_over_is_as_its_end_leaves_it() -> None:
    story = greeted()
    story.drop()
    over = story.sight.closed(story.call, e.CallEnded(reason="gone_at_carrier"), story.now_ms)
    assert over.phase == "ended"
    assert story.counted("calls_closed_total") == 1
    story.sight.ended(over)
    assert story.counted("conversations_total", outcome="lost") == 1


def test_how_unevenly_a_streams_audio_came_is_measured_at_its_end() -> None:
    story = Watched()
    story.sight.heard(None)
    story.sight.heard(40)
    assert story.counted("inbound_jitter_seconds_count") == 1
    assert story.counted("inbound_jitter_seconds_sum") == pytest.approx(0.005)


def test_where_a_call_was_found_again_is_counted() -> None:
    story = Watched()
    story.sight.restored("snapshot")
    assert story.counted("restores_total", source="snapshot") == 1
