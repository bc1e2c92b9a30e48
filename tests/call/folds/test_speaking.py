import random

import pytest
from msgspec.structs import replace

from service.call import events as e
from service.call.folds.speaking import GENERATED_SAMPLES_PER_LETTER
from service.call.state import Call, Playback, Prompt
from tests.call.story import Story, whole

CLAUSES = ("Hello Maria,", "thank you for calling.", "How are you?")


def spoken(prompt: str = "p1", request: str = "", asks: str = "") -> e.AgentSpoke:
    return e.AgentSpoke(prompt=prompt, clauses=CLAUSES, asks=asks, request=request)


def played(clauses: int, part: int = 0, *, heard: int = 0, prompt: str = "p1") -> e.Played:
    return e.Played(
        prompt=prompt,
        clauses=clauses,
        part_samples=part,
        part_of_samples=100,
        synthesised_samples=900,
        sent_samples=800,
        heard_samples=heard,
    )


def heard(call: Call) -> str:
    return call.transcript[-1].heard


def test_a_greeting_is_remembered() -> None:
    assert Story().write(e.Greeted(prompt="p1")).is_greeted


def test_a_prompt_stands_in_the_state_and_in_the_transcript_unheard() -> None:
    call = Story().write(spoken(asks="name"))
    text = " ".join(CLAUSES)
    assert call.prompts == (Prompt("p1", 1, CLAUSES, asks="name"),)
    assert (call.prompts_made, call.asked) == (1, "name")
    assert call.playback == Playback("p1", len(text) * GENERATED_SAMPLES_PER_LETTER)
    line = call.transcript[0]
    assert (line.who, line.text, line.heard, line.cut, line.position) == (
        "agent", text, "", False, 1,
    )  # fmt: skip


def test_a_prompt_that_asks_nothing_leaves_the_question_open() -> None:
    call = Story().write(spoken(asks="name"), spoken("p2"))
    assert (call.asked, call.prompts_made) == ("name", 2)


def test_a_prompt_without_a_clause_is_never_waited_for() -> None:
    call = Story().write(e.AgentSpoke(prompt="p1", clauses=()))
    assert (call.prompts, call.prompts_made) == ((), 1)


def test_a_line_that_a_person_asked_for_fulfils_only_that_request() -> None:
    story = Story()
    story.write(
        e.SayRequested(request="r1", text="Hi"), e.SayRequested(request="r2", text="Ho"), spoken()
    )
    assert len(story.call.requests) == 2
    call = story.write(spoken("p2", request="r1"))
    assert [request.request for request in call.requests] == ["r2"]


@pytest.mark.parametrize(
    ("clauses", "part", "text"),
    [
        (0, 0, ""),
        (0, 49, ""),
        (0, 50, "Hello"),
        (0, 99, "Hello"),
        (1, 0, "Hello Maria,"),
        (1, 25, "Hello Maria, thank"),
        (1, 74, "Hello Maria, thank you"),
        (1, 99, "Hello Maria, thank you for"),
        (2, 0, "Hello Maria, thank you for calling."),
        (3, 0, "Hello Maria, thank you for calling. How are you?"),
        (3, 50, "Hello Maria, thank you for calling. How are you?"),
        (9, 0, "Hello Maria, thank you for calling. How are you?"),
    ],
)
def test_what_was_heard_is_never_more_than_was_played(clauses: int, part: int, text: str) -> None:
    assert heard(Story().write(spoken(), played(clauses, part))) == text


def test_a_part_of_an_unknown_whole_does_not_divide_by_nothing() -> None:
    part = e.Played(prompt="p1", clauses=0, part_samples=1, part_of_samples=0)
    assert heard(Story().write(spoken(), part)) == "Hello Maria,"


def test_a_prompt_gets_further_and_never_back() -> None:
    story = Story()
    story.write(spoken(), played(1, 50, heard=450))
    prompt = story.call.prompts[0]
    assert (prompt.clauses_heard, prompt.heard_samples, prompt.done_samples) == (1, 450, 400)
    call = story.write(played(0, 99, heard=99))
    prompt = call.prompts[0]
    assert (prompt.clauses_heard, prompt.heard_samples, prompt.done_samples) == (1, 450, 400)
    assert heard(call) == "Hello Maria, thank you"


def test_a_prompt_heard_to_its_end_is_done_with_and_the_others_are_not() -> None:
    story = Story()
    story.write(spoken(), spoken("p2"), whole("p1", CLAUSES))
    assert [prompt.prompt for prompt in story.call.prompts] == ["p2"]
    first, second = story.call.transcript
    assert (first.heard, first.cut, second.heard) == (" ".join(CLAUSES), False, "")


def test_the_pointers_are_those_of_the_prompt_that_plays() -> None:
    story = Story()
    story.write(spoken(), played(1, heard=400))
    assert story.call.playback == Playback("p1", 48 * GENERATED_SAMPLES_PER_LETTER, 900, 800, 400)
    story.write(spoken("p2"), played(2, heard=700))
    assert story.call.playback == Playback("p1", 900, 900, 800, 700)
    more = e.Played(prompt="p1", clauses=2, synthesised_samples=99_999, heard_samples=700)
    assert story.write(more).playback.generated_samples == 99_999


def test_news_of_a_prompt_that_is_done_with_changes_nothing() -> None:
    story = Story()
    before = story.write(spoken(), whole("p1", CLAUSES))
    after = story.write(played(1), e.SpeechCut(prompt="p1", reason="key"))
    assert (after.transcript, after.playback) == (before.transcript, before.playback)


def test_a_line_that_is_no_longer_kept_is_not_revised() -> None:
    story = Story()
    story.call = replace(story.write(spoken()), transcript=())
    call = story.write(played(1, heard=800))
    assert (call.transcript, call.prompts[0].clauses_heard) == ((), 1)


def test_a_prompt_that_is_cut_keeps_what_was_heard() -> None:
    story = Story()
    story.write(spoken(), spoken("p2"), e.CallerSpoke(text="Wait"), played(1))
    call = story.write(e.SpeechCut(prompt="p1", reason="barge_in"))
    assert [prompt.prompt for prompt in call.prompts] == ["p2"]
    assert [(line.heard, line.cut) for line in call.transcript] == [
        ("Hello Maria,", True),
        ("", False),
        ("Wait", False),
    ]


def test_whatever_is_reported_the_heard_is_a_prefix_that_only_grows() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        story = Story()
        story.write(spoken())
        before = ""
        for _ in range(20):
            part = chance.randint(-5, 150)
            call = story.write(played(chance.randint(0, 2), part, heard=chance.randint(0, 900)))
            assert " ".join(CLAUSES).startswith(heard(call)), f"seed {seed}"
            assert heard(call).startswith(before), f"seed {seed}"
            before = heard(call)


def test_a_models_own_words_become_known_while_they_are_heard() -> None:
    story = Story()
    story.write(e.AgentSpoke(prompt="p1", clauses=(), voice="model", is_open=True))
    assert story.call.prompts[0].is_open
    story.write(e.AgentContinued(prompt="p1", clauses=("Hello there.",)))
    story.write(e.Played(prompt="p1", clauses=1, heard_samples=9))
    assert story.call.prompts[0].clauses_heard == 1
    story.write(e.AgentContinued(prompt="p1", clauses=("Hello there.", "Bye."), is_last=True))
    assert story.call.prompts[0].clauses == ("Hello there.", "Bye.")
    assert story.call.transcript[0].text == "Hello there. Bye."
    story.write(
        e.AgentContinued(prompt="p1", clauses=("No.",)), e.AgentContinued(prompt="p9", clauses=())
    )
    assert story.call.transcript[0].text == "Hello there. Bye."
    assert story.write(e.Played(prompt="p1", clauses=2)).prompts == ()


def test_an_open_prompt_that_was_heard_to_its_end_is_done_when_it_closes() -> None:
    story = Story()
    story.write(e.AgentSpoke(prompt="p1", clauses=("Hi.",), voice="model", is_open=True))
    story.write(e.Played(prompt="p1", clauses=1), e.SayRequested(request="r", text="x"))
    assert story.call.prompts
    assert story.write(e.AgentContinued(prompt="p1", clauses=("Hi.",), is_last=True)).prompts == ()


def test_words_that_were_counted_are_the_words_heard() -> None:
    story = Story()
    story.write(e.AgentSpoke(prompt="p1", clauses=("One two three four.",)))
    part = e.Played(prompt="p1", clauses=0, part_samples=90, part_of_samples=100, part_words=1)
    assert story.write(part).transcript[0].heard == "One"


def test_a_field_asked_again_is_counted() -> None:
    story = Story()
    for asks, count in (("name", 1), ("name", 2), ("", 2), ("company", 1)):
        story.write(e.AgentSpoke(prompt="p", clauses=("?",), asks=asks))
        assert story.call.asks == count


def test_a_models_speech_that_was_lost_is_to_be_gone_on_with() -> None:
    story = Story()
    story.write(e.AgentSpoke(prompt="p1", clauses=("Hi.",), voice="model", is_open=True))
    call = story.write(e.SpeechCut(prompt="p1", reason="lost"))
    assert call.turn is not None
    assert call.turn.reason == "cut"
    story = Story()
    story.write(e.AgentSpoke(prompt="p1", clauses=("Bye.",)), e.EndingPlanned(ending="hangup"))
    assert story.write(e.SpeechCut(prompt="p1", reason="lost")).turn is None


def test_a_line_of_a_person_in_the_agents_place_answers_the_caller() -> None:
    story = Story()
    story.write(e.TakeoverRequested(request="t", by="Ana", seat="a"), e.CallerSpoke(text="Help!"))
    assert story.call.turn is not None
    call = story.write(e.AgentSpoke(prompt="p1", clauses=("I am here.",), who="human"))
    assert call.turn is None
    assert [line.who for line in call.transcript] == ["caller", "human"]
