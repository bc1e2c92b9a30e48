from service.agent.duplex import Entry, ToolUse
from service.agent.realtime.past import EARLIER, ENTRIES_MAX, PICKED_UP, earlier, history, told
from service.call import events as e, inputs as i
from service.call.acts import Ask, Say, UseTool
from service.call.earlier import Earlier
from service.call.facts.ring import CarriedLine
from service.call.policy import Policy, ToolTerms
from service.call.state import Call, Field, Line
from tests.call.story import Story


def caller(text: str) -> Entry:
    return Entry("caller", text, text)


def told_story() -> Story:
    terms = ToolTerms(is_idempotent=True, attempts_max=1, timeout_ms=1_000)
    story = Story(Policy(tools={"lookup": terms}))
    story.opened()
    story.attach(door="voice")
    story.happen(i.Answered(1, (Ask("How can I help you?", "problem"),)))
    story.write(e.Played(prompt="p1", clauses=1, heard_samples=8_000))
    story.now_ms += 10
    story.happen(i.Utterance("Look at my ticket."))
    story.now_ms += 10
    story.happen(i.Answered(2, (UseTool("lookup", {"ticket_id": "TK1"}),)))
    return story


def test_a_call_that_just_began_begins_with_the_caller() -> None:
    assert history(Call()) == (caller(PICKED_UP),)


def test_tools_stand_where_they_were_asked_for_and_bear_what_they_brought() -> None:
    story = told_story()
    assert history(story.call) == (
        caller(PICKED_UP),
        Entry("agent", "How can I help you?", "How can I help you?"),
        caller("Look at my ticket."),
        ToolUse("t2.1", "lookup", {"ticket_id": "TK1"}),
    )
    story.happen(i.OperationDone("t2.1", 1, "succeeded", '{"status": "open"}'))
    story.now_ms += 10
    story.happen(i.Answered(3, (Say("It is open."),)))
    *_, used, answer = history(story.call)
    assert used == ToolUse("t2.1", "lookup", {"ticket_id": "TK1"}, '{"status": "open"}')
    assert answer == Entry("agent", "It is open.", "It is open.")  # It is just being said.


def test_a_tool_that_brought_nothing_says_how_it_ended() -> None:
    story = told_story()
    story.happen(i.OperationDone("t2.1", 1, "failed", "", "The desk is closed."))
    (used,) = [one for one in history(story.call) if isinstance(one, ToolUse)]
    assert used.result == '{"status":"failed","detail":"The desk is closed."}'
    story = told_story()
    story.happen(i.OperationDone("t2.1", 1, "succeeded"))
    (used,) = [one for one in history(story.call) if isinstance(one, ToolUse)]
    assert used.result == '{"status": "succeeded"}'


def test_what_our_own_rules_asked_for_is_nothing_to_the_model() -> None:
    story = Story()
    story.opened()
    story.write(
        e.OperationRequested(
            operation="summary",
            tool="tell",
            arguments={},
            turn=0,
            is_idempotent=True,
            attempts_max=1,
            deadline_ms=1,
        )
    )
    assert history(story.call) == (caller(PICKED_UP),)


def test_words_written_down_late_keep_their_place() -> None:
    late = Line(9, "caller", "Is it open?", "Is it open?", cut=False, at_ms=30)
    answer = Line(8, "agent", "Yes.", "Yes.", cut=False, at_ms=20)
    call = Call(transcript=(late, answer))
    assert [one.said for one in history(call) if isinstance(one, Entry)] == ["Is it open?", "Yes."]


def test_of_a_line_that_was_cut_the_heard_words_count_and_the_rest_is_noted() -> None:
    line = Line(1, "agent", "One two three.", "One two", cut=True, at_ms=0)
    heard, note = told(line)
    assert heard == Entry("agent", "One two three.", "One two")
    assert (note.who, note.heard) == (
        "note",
        "[The caller did not hear these words of yours: three.]",
    )
    (unheard,) = told(Line(1, "agent", "One two three.", "", cut=True, at_ms=0))
    assert "One two three." in unheard.heard
    (playing,) = told(Line(1, "agent", "One two three.", "One", cut=False, at_ms=0), 1_600)
    assert playing == Entry("agent", "One two three.", "One two three.", 200)


def test_keys_are_marked_as_such() -> None:
    assert list(told(Line(1, "caller", "12#", "12#", cut=False, at_ms=0))) == [
        caller("[keyed 12#]")
    ]


def test_only_the_newest_part_of_a_long_call_is_told() -> None:
    lines = tuple(
        Line(n, "caller" if n % 2 else "agent", f"{n} words", f"{n} words", cut=False, at_ms=n)
        for n in range(1_000)
    )
    told_of = history(Call(transcript=lines))
    assert len(told_of) == ENTRIES_MAX + 1
    assert told_of[0] == caller(PICKED_UP)
    assert told_of[-1] == caller("999 words")
    long = tuple(Line(n, "caller", "x" * 9_000, "x" * 9_000, cut=False, at_ms=n) for n in range(9))
    assert len(history(Call(transcript=long))) == 4


def test_an_earlier_call_is_told_once_its_caller_goes_on_with_it() -> None:
    known = Earlier(
        "CA0",
        "number",
        1,
        standing="taken",
        transcript=(CarriedLine("caller", "It smokes."), CarriedLine("agent", "Since when?")),
    )
    call = Call(earlier=known, fields={"name": Field("Ma")})
    first, *said, end = earlier(call)
    assert first == Entry("note", EARLIER, EARLIER)
    assert said == [caller("It smokes."), Entry("agent", "Since when?", "Since when?")]
    assert isinstance(end, Entry)
    assert "name: Ma" in end.said
    assert history(call)[1] == first
    for other in (Call(), Call(earlier=Earlier("CA0", "number", 1))):
        assert earlier(other) == ()
