from service.call import events as e
from service.journal.values import Record
from tests.simulation.witness import Told, is_taken


def test_a_person_has_the_agents_place_from_the_takeover_to_the_handback() -> None:
    asked = e.TakeoverRequested(request="r1", by="ana", seat="ana-1")
    taken = e.TakenOver(by="ana", seat="ana-1")
    back = e.HandedBack(by="ana", reason="asked")
    facts: tuple[e.AnyFact, ...] = (asked, taken, back)
    told = [Told(at, Record(at, 1, at, b""), fact) for at, fact in enumerate(facts)]
    assert [is_taken(told[:count]) for count in range(4)] == [False, False, True, False]
    assert not is_taken(told[1:2]), "the store lost the request, and nobody was told that it stands"
