from service.call import events as e, inputs as i
from service.call.shown.minutes import minutes
from service.call.shown.timeline import Timeline
from tests.call.story import Story, greeted, speaking


def text(story: Story) -> str:
    timeline = Timeline()
    timeline.add_all(story.journal)
    return minutes(timeline)


def test_a_call_that_only_rang_is_told_by_what_is_known() -> None:
    story = Story()
    story.opened()
    assert text(story) == "Call: CA1\nBegan: 2023-11-14T22:13:20.000Z\n"


def test_the_talk_is_told_with_its_gaps_and_with_what_was_not_heard() -> None:
    story = speaking()
    name = story.call.prompts[0].prompt
    played = e.Played(
        prompt=name, clauses=0, part_samples=4_000, part_of_samples=16_000, part_words=2,
        heard_samples=4_000,
    )  # fmt: skip
    story.now_ms += 61_000
    story.drop("closed", played)
    story.now_ms += 2_250
    story.attach("MZ2", gap_ms=2_250)
    story.happen(i.BargedIn())
    story.happen(i.Utterance("Stop,\n please."))
    story.write(
        e.FieldFilled(name="city", value="Ghent", source="speech"),
        e.NoteAdded(text="Ring\nagain."),
        e.CallEnded(reason="completed"),
    )
    told = text(story)
    assert "Client: Maria\nCompany: Acme\n" in told
    assert "Ended: " in told
    assert "00:00 Caller: It's me." in told
    assert "Agent: Thank you [not heard: for the answer. I will" in told
    assert (
        "01:01 --- the line was gone: drop, 2.2 s; gave up what was being said; never heard: for"
        in told
    )
    assert "Caller: Stop, please." in told
    assert told.endswith("\n\ncity: Ghent\n\nNote: Ring again.\n")


def test_a_line_that_is_gone_now_and_a_half_utterance_are_told() -> None:
    story = greeted()
    story.happen(i.SpeechBegan())
    story.happen(i.Utterance("I would", is_partial=True))
    story.drop()
    told = text(story)
    assert "--- the line is gone ---" in told
    assert "Caller: I would …" in told


def test_a_colleague_is_named() -> None:
    story = greeted()
    story.write(e.AgentSpoke(prompt="p9", clauses=("Good day.",), who="human"))
    assert "Colleague: [not heard: Good day.]" in text(story)
