import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.caller import DIGITS_PENDING_MAX, is_waited_for
from service.call.decisions.decide import decide
from tests.call.story import START_MS, greeted, kinds, speaking


def test_only_news_of_open_prompts_is_written() -> None:
    story = speaking()
    known, unknown = (e.Played(prompt=name, clauses=0, heard_samples=9) for name in ("p2", "p1"))
    assert story.happen(i.Progress((known, unknown))).facts == (known,)
    assert story.happen(i.Progress((known,))).facts == ()


def test_the_caller_begins_to_speak_once() -> None:
    story = greeted()
    assert kinds(story.happen(i.SpeechBegan())) == ["CallerBegan"]
    assert kinds(story.happen(i.SpeechBegan())) == []


def test_a_barge_in_cuts_all_that_was_to_be_said() -> None:
    story = speaking()
    prompt = story.call.prompts[0]
    part = e.Played(prompt="p2", clauses=0, heard_samples=80)
    assert story.happen(i.BargedIn((part,))).facts == (
        part,
        e.SpeechCut(prompt=prompt.prompt, reason="barge_in"),
    )
    assert story.call.prompts == ()
    assert story.happen(i.BargedIn()).facts == ()


def test_a_farewell_is_said_to_its_end() -> None:
    story = speaking()
    story.write(e.EndingPlanned(ending="hangup"))
    assert story.happen(i.BargedIn()).facts == ()
    assert kinds(story.happen(i.Key("1"))) == ["DigitPressed"]
    assert story.call.prompts


def test_an_utterance_is_written_as_it_was_heard() -> None:
    story = greeted()
    decision = story.happen(i.Utterance("Ma", 700, 900, is_partial=True))
    assert decision.facts == (
        e.CallerSpoke(text="Ma", confidence_milli=700, duration_ms=900, partial=True),
    )


def test_keys_are_entered_by_hash_and_cut_what_we_say() -> None:
    story = speaking()
    assert kinds(story.happen(i.Key("1"))) == ["SpeechCut", "DigitPressed"]
    story.happen(i.Key("2"))
    decision = story.happen(i.Key("#"))
    assert decision.facts[-1] == e.DigitsEntered(digits="12", ended_by="hash")
    assert kinds(story.happen(i.Key("#"))) == ["DigitPressed"]


def test_keys_without_end_are_entered_at_the_limit() -> None:
    story = greeted()
    for _ in range(DIGITS_PENDING_MAX):
        story.happen(i.Key("7"))
    assert len(story.call.digits_pending) == DIGITS_PENDING_MAX
    assert kinds(decide(story.call, i.Key("*"), START_MS)) == ["DigitPressed"]
    assert kinds(story.happen(i.Key("8"))) == ["DigitsEntered", "DigitPressed"]
    assert story.call.digits_pending == "8"


def test_a_barge_in_discards_the_answer_that_is_still_being_generated() -> None:
    story = greeted()
    story.happen(i.Utterance("Tell me all."))
    story.happen(
        i.Answered(2, (a.Say("It is a very long story, and it begins so."),), is_last=False)
    )
    story.happen(i.BargedIn())
    assert story.call.turn is None
    assert story.happen(i.Answered(2, (a.Say("Then it goes on."), a.HangUp()))).facts == ()


def test_words_over_ours_cut_them_to_what_was_heard() -> None:
    story = speaking()
    part = e.Played(prompt="p2", clauses=0, part_words=2, part_samples=9, heard_samples=9)
    assert kinds(story.happen(i.Utterance("No, stop.", played=(part,)))) == [
        "Played",
        "SpeechCut",
        "CallerSpoke",
    ]
    assert story.call.transcript[-2].heard == "Thank you"
    assert story.call.turn is not None


@pytest.mark.parametrize(
    ("said", "is_backchannel"),
    [
        (i.Utterance("Mm-hm."), True),
        (i.Utterance(""), False),
        (i.Utterance("So", is_partial=True), False),
    ],
)
def test_what_is_no_word_of_theirs_cuts_nothing(said: i.Utterance, *, is_backchannel: bool) -> None:
    story = speaking()
    story.happen(said)
    assert story.call.prompts
    assert story.facts(e.CallerSpoke)[-1].backchannel is is_backchannel
    assert story.call.turn is None


def test_what_is_heard_so_far_is_written_when_it_changes() -> None:
    story = greeted()
    assert kinds(story.happen(i.PartlyHeard("My"))) == ["CallerPartlyHeard"]
    assert kinds(story.happen(i.PartlyHeard("My"))) == []
    assert kinds(story.happen(i.PartlyHeard(""))) == []


def test_nobody_is_waited_for_unless_a_question_was_heard_and_nothing_else_goes_on() -> None:
    assert is_waited_for(greeted().call)
    assert not is_waited_for(speaking().call)
    story = greeted()
    story.happen(i.SpeechBegan())
    assert not is_waited_for(story.call)


def test_what_another_process_had_heard_is_kept_when_it_died() -> None:
    story = greeted()
    story.happen(i.PartlyHeard("My printer"))
    story.drop()
    story.attach("MZ2", is_held_here=True)
    assert story.call.partial_text == "My printer"
    story.attach("MZ3")
    assert (story.call.partial_text, story.call.half_text) == ("", "My printer")
    story.happen(i.Utterance("smokes."))
    assert story.call.turn is not None
    assert (story.call.turn.earlier, story.call.turn.text) == ("My printer", "smokes.")
