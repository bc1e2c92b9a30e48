from service.call import events as e
from service.call.draft import Draft, begun
from service.call.place import Place, Placed, Step
from service.call.state import Call


def test_a_place_tells_where_and_when_and_by_whom() -> None:
    place = Place(position=3, epoch=2, at_ms=1_000)
    assert (place.position, place.epoch, place.at_ms) == (3, 2, 1_000)
    assert place == Place(3, 2, 1_000)


def test_a_step_changes_a_draft_by_a_fact_at_its_place() -> None:
    def staged(call: Draft, fact: e.StageChanged, place: Placed) -> None:
        call.stage, call.position = fact.stage, place.position

    step: Step = staged
    draft = begun(Call())
    step(draft, e.StageChanged(stage="x"), Place(1, 1, 1))
    assert draft.standing() == Call(stage="x", position=1)
