from service.call import events as e, inputs as i
from service.call.decisions.private import forgotten, step, unsaid, woke
from service.call.policy import Policy
from service.call.privacy import Collection, Privacy
from service.call.state import Call

NUMBER = Collection("c1", "card", 13, 19, is_card=True)
COLLECTING = Call(phase="live", privacy=Privacy(collection=NUMBER))
ASKED = Call(phase="live", privacy=Privacy(consent="asked", asks=1))


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
