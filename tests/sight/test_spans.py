from service.call import acts as a, events as e, inputs as i
from service.sight import spans
from tests.call.story import START_MS
from tests.sight.seen import Kept, Watched
from tests.sight.test_noticing import answered, back, greeted


def told() -> Kept:
    """The spans of a call with a drop, a tool, and a turn that the caller spoke over."""
    traces = Kept()
    story = greeted(traces)
    story.now_ms += 1_000
    answered(story, "It's me.", a.Say("Thank you."))
    back(story)
    asked = e.OperationRequested(operation="o1", tool="look", arguments={"name": "Maria"}, turn=2,
                                 is_idempotent=True, attempts_max=1, deadline_ms=0)  # fmt: skip
    story.write(asked)
    story.now_ms += 400
    story.write(e.OperationEnded(operation="o1", status="failed"))
    story.happen(i.Utterance("One."))
    story.happen(i.Answered(story.call.turns, (a.Say("Well, let me see."),), is_last=False))
    story.happen(i.Utterance("Two."))
    story.now_ms += 2_000
    story.write(e.CallEnded(reason="completed"))
    story.sight.ended(story.call)
    return traces


def test_all_spans_of_a_call_are_one_trace_whoever_makes_them() -> None:
    one, other = told(), told()
    assert len({span.trace_id for span in one.spans}) == 1
    assert [span.span_id for span in one.spans] == [span.span_id for span in other.spans]
    assert len({span.span_id for span in one.spans}) == len(one.spans)
    keys = {span.key for span in one.spans}
    assert {span.parent for span in one.spans} - {""} <= keys


def test_the_call_is_the_root_and_lasts_from_its_ringing_to_its_end() -> None:
    (root,) = told().named("call")
    assert root.parent == ""
    assert root.from_us == START_MS * 1_000
    assert root.attributes["stayline.conversation.outcome"] == "survived"
    assert (root.attributes["stayline.streams"], root.attributes["stayline.drops"]) == (2, 1)


def test_each_stream_is_a_span_with_a_gap_between() -> None:
    first, second = told().named("stream")
    assert (first.key, second.key) == ("stream:1", "stream:2")
    assert second.from_us - first.to_us == 500_000
    assert (first.is_failed, second.is_failed) == (True, False)
    assert second.attributes["stayline.stream.cause"] == "drop"
    assert second.attributes["stayline.gap_ms"] == 500


def test_a_stream_that_its_server_could_not_end_is_told_by_the_next_one() -> None:
    traces = Kept()
    story = greeted(traces)
    story.now_ms += 5_000
    story.attach("MZ2", gap_ms=900)
    (gone,) = traces.named("stream")
    assert (gone.key, gone.attributes["stayline.stream.reason"]) == ("stream:1", "replaced")


def test_a_turn_lasts_from_the_callers_words_to_its_answer_or_until_it_is_given_up() -> None:
    turns = told().named("turn")
    assert [one.attributes["stayline.turn.outcome"] for one in turns[:2]] == ["answered"] * 2
    assert "given_up" in [one.attributes["stayline.turn.outcome"] for one in turns]
    assert turns[0].from_us == START_MS * 1_000
    assert turns[1].parent == "stream:1"


def test_a_tools_work_and_each_write_are_spans_and_no_argument_is_in_one() -> None:
    traces = told()
    (tool,) = traces.named("tool")
    assert (tool.to_us - tool.from_us, tool.is_failed) == (400_000, True)
    assert tool.attributes["gen_ai.tool.name"] == "look"
    assert tool.attributes["stayline.tool.status"] == "failed"
    writes = traces.named("append")
    assert all(one.to_us - one.from_us == 500 for one in writes)
    assert "operation_ended" in [one.attributes["stayline.kinds"] for one in writes]
    assert "Maria" not in repr(traces.spans)


def test_a_turn_that_nobody_noted_the_beginning_of_begins_where_it_ends() -> None:
    story = Watched(Kept())
    story.attach("MZ1")
    turn = story.call.turn
    assert turn is not None
    odd = type(turn)(7, "operation")
    span = spans.turn(story.call, odd, story.now_ms, is_answered=True)
    assert span.from_us == span.to_us
