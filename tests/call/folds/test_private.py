from service.call import events as e
from service.call.draft import begun
from service.call.folds.private import STEPS
from service.call.place import Place
from service.call.privacy import PAY_WAIT_MS, SEALED, Collected, Privacy
from service.call.state import Call, Field, Turn

AT = Place(7, 1, 5_000)


def after(call: Call, *facts: e.Fact) -> Call:
    draft = begun(call)
    for fact in facts:
        STEPS[type(fact)](draft, fact, AT)
    return draft.standing()


def test_while_consent_is_asked_for_the_agent_owes_nothing() -> None:
    asked = after(Call(turn=Turn(1, "opening"), turns=1), e.ConsentAsked(times=1))
    assert asked.turn is None
    assert asked.privacy == Privacy(consent="asked", asks=1)
    given = after(asked, e.ConsentGiven(by="key"))
    assert given.turn == Turn(2, "opening", position=7)
    lost = after(Call(is_context_lost=True), e.ConsentGiven(by="speech"))
    assert lost.turn == Turn(1, "context_lost", position=7)
    assert after(asked, e.ConsentDeclined(by="silence")).privacy.consent == "declined"


def test_keys_are_counted_and_begun_again() -> None:
    began = e.CollectionBegan(collection="c1", field="card", keys_min=1, keys_max=9)
    call = after(Call(), began, e.KeysMasked(collection="c1", count=3, fits=True))
    one = call.privacy.collection
    assert one is not None
    assert (one.keys, one.fits, call.digit_ms, call.privacy.collections) == (3, True, 5_000, 1)
    again = after(call, e.CollectionRestarted(collection="c1", reason="wrong")).privacy.collection
    assert again is not None
    assert (again.keys, again.fits, again.rounds, again.misses) == (0, False, 2, 1)
    dropped = after(call, e.CollectionRestarted(collection="c1", reason="drop")).privacy.collection
    assert dropped is not None
    assert dropped.misses == 0


def test_a_reference_is_the_answer_and_a_failure_none() -> None:
    began = e.CollectionBegan(collection="c1", field="card", keys_min=1, keys_max=9)
    passed = after(Call(), began, e.CollectionPassed(collection="c1", keys=4))
    assert passed.privacy.collection is not None
    assert passed.privacy.collection.is_passed
    taken = after(passed, e.CollectionEnded(collection="c1", outcome="taken", reference="tok"))
    assert taken.fields == {"card": Field("tok", confirmed=True, source=SEALED, at_ms=5_000)}
    assert taken.privacy.collected == Collected("c1", "card", "taken", "tok")
    assert taken.turn == Turn(1, "collected", position=7)
    failed = after(passed, e.CollectionEnded(collection="c1", outcome="failed"))
    assert failed.fields == {}


def test_how_a_collection_ended_is_owed_to_nobody_once_the_call_is_to_end() -> None:
    began = e.CollectionBegan(collection="c1", field="card", keys_min=1, keys_max=9)
    told = after(Call(ending="hangup"), began, e.CollectionEnded(collection="c1", outcome="failed"))
    assert told.privacy.collected is not None
    assert told.turn is None


def test_facts_of_another_collection_change_nothing() -> None:
    for fact in (
        e.KeysMasked(collection="c9", count=1),
        e.CollectionRestarted(collection="c9", reason="star"),
        e.CollectionPassed(collection="c9", keys=1),
        e.CollectionEnded(collection="c9", outcome="failed"),
    ):
        assert after(Call(), fact) == Call()


def test_the_carrier_has_the_call_until_it_says_how_it_went() -> None:
    began = e.CollectionBegan(
        collection="c1", field="card", keys_min=13, keys_max=19, is_card=True, sink="pay"
    )
    call = after(Call(), began, e.PayPlanned(collection="c1", round=1))
    one = call.privacy.collection
    assert one is not None
    assert (one.sink, one.is_passed) == ("pay", True)
    assert (call.planned_cause, call.planned_ms) == ("dtmf", 5_000)
    assert call.privacy.away_until_ms == 5_000 + PAY_WAIT_MS
    again = after(call, e.CollectionRestarted(collection="c1", reason="drop"))
    assert again.privacy.away_until_ms == 5_000
    assert again.privacy.collection is not None
    assert (again.privacy.collection.rounds, again.privacy.collection.is_passed) == (2, False)
    taken = after(call, e.CollectionEnded(collection="c1", outcome="taken", reference="tok"))
    assert taken.privacy.away_until_ms == 5_000
    assert taken.fields["card"].value == "tok"
    assert after(Call(), e.PayPlanned(collection="c9", round=1)) == Call()
