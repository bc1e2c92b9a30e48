from service.call import events as e, inputs as i
from service.call.decisions.private import forgotten, step, unsaid, woke
from service.call.policy import Policy
from service.call.privacy import KEYS_REST_MS, Collection, Privacy
from service.call.state import Call
from tests.call.story import Story, greeted

NUMBER = Collection("c1", "card", 13, 19, is_card=True)
COLLECTING = Call(phase="live", privacy=Privacy(collection=NUMBER))
ASKED = Call(phase="live", privacy=Privacy(consent="asked", asks=1))


def asking() -> Story:
    """A call whose agent has asked for a card's number."""
    story = greeted()
    story.write(e.CollectionBegan(collection="c1", field="card", keys_min=13, keys_max=19))
    return story


def test_nothing_is_decided_otherwise_while_nothing_is_private() -> None:
    assert step(Call(), i.Key("1")) is None
    assert step(ASKED, i.Settle()) is None
    for call in (ASKED, COLLECTING):
        for happened in (i.PartlyHeard("secret"), i.Measured(1, "", ""), i.Transcribed("secret")):
            quiet = step(call, happened)
            assert quiet is not None
            assert not quiet(call, happened, 0, Policy()).facts


def test_a_key_that_was_not_put_under_seal_is_not_written() -> None:
    masked = step(COLLECTING, i.Key("4"))
    assert masked is not None
    assert not masked(COLLECTING, i.Key("4"), 0, Policy()).facts


def test_the_rest_of_a_number_that_was_given_up_is_not_written_until_its_caller_pauses() -> None:
    """Seed 15000417 of the simulation: it was given up amid a burst of keys, and the other digits stood in the clear."""
    story = asking()
    assert step(story.call, i.Key("4")) is not None
    story.write(e.CollectionEnded(collection="c1", outcome="given_up"))
    for _ in range(8):
        story.now_ms += KEYS_REST_MS - 1
        assert story.tell(i.Key("4")).facts == (e.KeysMasked(collection="c1", count=1, fits=False),)
    story.now_ms += KEYS_REST_MS
    assert story.tell(i.Key("4")).facts == (e.DigitPressed(digit="4"),)


def test_what_is_keyed_after_a_number_that_was_taken_is_an_answer() -> None:
    story = asking()
    story.write(e.CollectionEnded(collection="c1", outcome="taken", reference="tok_1"))
    assert story.tell(i.Key("1")).facts == (e.DigitPressed(digit="1"),)


def test_words_that_were_begun_under_seal_stay_unsaid_afterwards() -> None:
    sealed = i.Utterance("secret", duration_ms=900, is_sealed=True)
    assert unsaid(Call(), sealed) == i.Utterance("", is_sealed=True)
    assert unsaid(ASKED, sealed) is sealed
    assert unsaid(Call(), i.Utterance("open")) == i.Utterance("open")


def test_a_drop_forgets_the_keys_that_came() -> None:
    assert forgotten(Call(), is_held_here=True) == forgotten(COLLECTING, is_held_here=False) == ()
    keyed = Call(privacy=Privacy(collection=Collection("c1", "card", 1, 9, is_card=False, keys=3)))
    assert forgotten(keyed, is_held_here=True) == (
        e.CollectionRestarted(collection="c1", reason="drop"),
    )


def test_what_is_due_is_a_reminder_or_the_question_again() -> None:
    policy = Policy(consent_text="May I?")
    quiet = Call(phase="live", asked="consent", privacy=Privacy(consent="asked", asks=1))
    assert woke(quiet, policy.no_input_ms, policy).facts[0] == e.ConsentAsked(times=2)
    assert not woke(quiet, policy.no_input_ms - 1, policy).facts
    declined = Call(phase="live", asked="consent", privacy=Privacy(consent="declined"))
    assert not woke(declined, policy.no_input_ms, policy).facts
    assert woke(COLLECTING, policy.no_input_ms, policy).facts
