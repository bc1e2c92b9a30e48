import typing

from msgspec.structs import replace

from service.call import events as e
from service.call.events import AnyFact, Known
from service.call.folds.fold import STEPS, fold, fold_all
from service.call.place import Place
from service.call.state import Call

NO_STEP = {
    e.ParameterRefused,
    e.DropLimitReached,
    e.PulledBack,
    e.LevelsMeasured,
    e.StateDiffered,
}


def test_every_fact_has_a_step_or_is_known_to_change_nothing() -> None:
    assert set(typing.get_args(Known)) == set(STEPS) | NO_STEP


def test_a_fact_without_a_step_moves_only_position_and_clock() -> None:
    call = Call(call_sid="CA1", epoch=2, position=4, updated_ms=50)
    facts: list[AnyFact] = [e.PulledBack(outcome="x"), e.Unknown(kind="new", body=b"{}")]
    for fact in facts:
        after = fold(call, fact, Place(5, 0, 60))
        assert after == replace(call, position=5, updated_ms=60)


def test_how_loud_it_was_is_nobodys_act() -> None:
    call = Call(call_sid="CA1", epoch=2, position=4, updated_ms=50)
    after = fold(call, e.LevelsMeasured(at_ms=0, caller="AA==", ours="AA=="), Place(5, 2, 60))
    assert after == replace(call, position=5)


def test_neither_epoch_nor_clock_ever_runs_back() -> None:
    call = fold(Call(epoch=3, updated_ms=50), e.StageChanged(stage="a"), Place(1, 2, 40))
    assert (call.epoch, call.updated_ms, call.stage) == (3, 50, "a")
    call = fold(call, e.StageChanged(stage="b"), Place(2, 4, 60))
    assert (call.epoch, call.updated_ms, call.stage) == (4, 60, "b")


def test_facts_fold_in_their_order() -> None:
    facts = [(e.StageChanged(stage=str(at)), Place(at, 1, at)) for at in range(1, 4)]
    assert fold_all(Call(), facts) == Call(stage="3", position=3, epoch=1, updated_ms=3)
    assert fold_all(Call(), []) == Call()


def test_together_facts_come_to_the_same_as_one_by_one() -> None:
    facts: list[tuple[AnyFact, Place]] = [
        (e.CallOpened(call_sid="CA1"), Place(1, 1, 10)),
        (e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s"), Place(2, 2, 30)),
        (e.CallerSpoke(text="Hello.", duration_ms=900), Place(3, 2, 20)),
        (e.DialEnded(outcome="busy"), Place(4, 0, 40)),
        (e.LevelsMeasured(at_ms=0, caller="AA==", ours="AA=="), Place(5, 2, 50)),
    ]
    alone = Call()
    for fact, place in facts:
        alone = fold(alone, fact, place)
    assert fold_all(Call(), facts) == alone
    assert (alone.position, alone.epoch, alone.updated_ms) == (5, 2, 40)
    assert alone.afterwards.dial_outcome == "busy"
