from service.call import events as e
from service.call.place import Place, Step
from service.call.state import Call


def test_a_place_tells_where_and_when_and_by_whom() -> None:
    place = Place(position=3, epoch=2, at_ms=1_000)
    assert (place.position, place.epoch, place.at_ms) == (3, 2, 1_000)
    assert place == Place(3, 2, 1_000)


def test_a_step_takes_the_call_a_fact_and_its_place() -> None:
    def staged(call: Call, fact: e.StageChanged, place: Place) -> Call:
        return Call(call_sid=call.call_sid, stage=fact.stage, position=place.position)

    step: Step = staged
    assert step(Call(), e.StageChanged(stage="x"), Place(1, 1, 1)) == Call(stage="x", position=1)
