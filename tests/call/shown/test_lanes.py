from service.call import events as e, inputs as i
from service.call.shown.lanes import Speech
from service.call.shown.timeline import Timeline
from tests.call.story import START_MS, Story, greeted, whole


def speech(story: Story) -> list[Speech]:
    timeline = Timeline()
    timeline.add_all(story.journal)
    return timeline.speech()


def span(one: Speech) -> tuple[int, int]:
    return one.from_ms - START_MS, one.to_ms - START_MS


def begun() -> Story:
    story = Story()
    story.opened()
    story.attach("MZ1", door="voice")
    return story


def test_a_line_of_ours_begins_as_long_ago_as_it_was_heard() -> None:
    story = begun()
    story.write(e.AgentSpoke(prompt="p1", clauses=("Hello there.",)))
    story.now_ms += 3_000
    story.write(whole("p1", ("Hello there.",)))
    (one,) = speech(story)
    assert span(one) == (2_000, 3_000)
    assert (one.text, one.heard, one.who) == ("Hello there.", "Hello there.", "agent")


def test_a_line_does_not_begin_before_it_was_written() -> None:
    story = begun()
    story.now_ms += 500
    story.write(e.AgentSpoke(prompt="p1", clauses=("Hello.",)))
    story.now_ms += 100
    story.write(whole("p1", ("Hello.",)))
    assert span(speech(story)[0]) == (500, 600)


def test_lines_not_heard_yet_stand_behind_each_other() -> None:
    story = begun()
    story.write(
        e.AgentSpoke(prompt="p1", clauses=("x" * 10,)),
        e.AgentSpoke(prompt="p2", clauses=("y" * 20,)),
    )
    assert [span(one) for one in speech(story)] == [(0, 650), (650, 1_950)]


def test_what_was_heard_in_part_goes_on_from_there() -> None:
    story = begun()
    story.write(e.AgentSpoke(prompt="p1", clauses=("aaaa bbbb", "cccc")))
    story.now_ms += 1_000
    story.write(e.Played(prompt="p1", clauses=1, heard_samples=4_000))
    (one,) = speech(story)
    assert one.heard == "aaaa bbbb"
    assert span(one) == (500, 1_000 + 5 * 65)
    story.now_ms += 1_000
    story.write(e.Played(prompt="p1", clauses=2, heard_samples=8_000))
    assert span(speech(story)[0]) == (500, 2_000)


def test_a_cut_line_ends_where_it_was_heard_last_or_cut() -> None:
    story = begun()
    story.write(e.AgentSpoke(prompt="p1", clauses=("one two",)))
    story.write(e.AgentSpoke(prompt="p2", clauses=("three",)))
    story.now_ms += 400
    story.write(
        e.Played(
            prompt="p1", clauses=0, part_samples=1_600, part_of_samples=9_000, heard_samples=1_600
        )
    )
    story.now_ms += 100
    story.write(
        e.SpeechCut(prompt="p1", reason="barge_in"), e.SpeechCut(prompt="p2", reason="replaced")
    )
    first, second = speech(story)
    assert (span(first), first.cut) == ((200, 400), True)
    assert (span(second), second.heard) == ((400, 500), "")


def test_the_callers_words_last_from_their_beginning_to_their_end() -> None:
    story = greeted()
    story.now_ms += 1_000
    story.happen(i.SpeechBegan())
    story.now_ms += 700
    story.happen(i.Utterance("It's me."))
    one = speech(story)[-1]
    assert (span(one), one.who, one.text) == ((1_000, 1_700), "caller", "It's me.")


def test_words_whose_beginning_nobody_noted_are_counted_back() -> None:
    story = greeted()
    story.now_ms += 1_000
    story.write(e.CallerSpoke(text="Yes.", duration_ms=300))
    assert span(speech(story)[-1]) == (700, 1_000)


def test_what_the_caller_is_saying_reaches_to_now() -> None:
    story = greeted()
    story.now_ms += 100
    story.write(e.CallerBegan(), e.CallerBegan())
    story.now_ms += 400
    story.happen(i.PartlyHeard("I would"))
    one = speech(story)[-1]
    assert (span(one), one.text, one.heard) == ((100, 500), "I would", "")
    story.drop()
    story.attach("MZ2")
    assert speech(story)[-1].text != "I would"


def test_keys_and_prompts_nobody_knows_are_no_speech() -> None:
    story = begun()
    story.write(
        e.DigitsEntered(digits="42", ended_by="#"),
        e.Played(prompt="p9", clauses=1, heard_samples=8_000),
        e.Played(prompt="p9", clauses=0),
        e.SpeechCut(prompt="p9", reason="key"),
    )
    assert speech(story) == []
