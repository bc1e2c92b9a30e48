import random

import pytest

from service.call import events as e
from service.clock import Clock
from service.journal.values import Record
from tests.simulation.plan import PLAIN, PRIVATE, planned
from tests.simulation.private import Discreet, Till
from tests.simulation.witness import Told, Witness
from tests.simulation.world import run

SEEDS = 24  # `python -m tests.simulation run --first 10000000` takes as many as one likes
PARTS = 4


def judged(*facts: e.Known) -> str:
    """Write facts in a run that asks for consent and collects numbers; return what broke."""
    plan = next(
        plan
        for plan in map(planned, range(PRIVATE, PRIVATE + 99))
        if plan.asks_consent and plan.collects
    )
    witness, told = Witness(Clock(lambda: 0)), list[Told]()
    for place, fact in enumerate(facts, 1):
        body = e.encode(fact)
        Discreet(plan, witness).judge("CA1", fact, told, body)
        told.append(Told(0, Record(place, 1, 0, body), fact))
    return str(witness.broken or "")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_private_stays_so_whatever_goes_wrong(part: int) -> None:
    """S-12 and S-14: drops, crashes and outages before, in and after the question and the number."""
    agreed = numbers = 0
    for seed in range(PRIVATE + part * SEEDS // PARTS, PRIVATE + (part + 1) * SEEDS // PARTS):
        result = run(seed)
        agreed, numbers = agreed + result.agreed, numbers + result.numbers
        assert not result.broken, f"seed {seed}: {result.broken}\n{result.story}"
    assert agreed + numbers, "callers agreed, and numbers were taken"


def test_nothing_is_private_in_the_older_plans() -> None:
    assert not planned(PLAIN).secrets
    assert planned(PRIVATE).secrets


ASKED, GIVEN = e.ConsentAsked(times=1), e.ConsentGiven(by="key")
BEGAN = e.CollectionBegan(collection="c1", field="card", keys_min=13, keys_max=19)
ENDED = e.CollectionEnded(collection="c1", outcome="failed")


def test_it_notices_what_is_written_too_early_and_under_seal() -> None:
    said, key = e.CallerSpoke(text="orchid"), e.DigitPressed(digit="4")
    assert not judged(ASKED, e.CallerSpoke(text=""), GIVEN, said, BEGAN, ENDED, key)
    assert "before the caller's yes" in judged(ASKED, said)
    assert "before the caller's yes" in judged(key)
    assert "under seal" in judged(ASKED, GIVEN, BEGAN, key)
    heard, cut_off = e.CallerPartlyHeard(text="orchid"), e.CallerSpoke(text="orchid", partial=True)
    assert not judged(ASKED, GIVEN, heard, BEGAN, cut_off)
    assert "under seal" in judged(ASKED, GIVEN, BEGAN, heard)
    assert "under seal" in judged(ASKED, GIVEN, heard, BEGAN, said)
    assert "tells ['walnut']" in judged(ASKED, GIVEN, e.NoteAdded(text="a walnut", by="b"))


@pytest.mark.asyncio
async def test_a_number_is_passed_on_once_but_by_a_server_whose_branch_is_lost() -> None:
    passed = e.encode(e.CollectionPassed(collection="c1", keys=16)).decode()
    lost = e.BranchOrphaned(epoch=1, count=1, lost=(passed,))
    for facts, rule in (((), 3), ((lost,), 0)):
        witness = Witness(Clock())
        witness.told["CA1"] = [Told(9, Record(1, 0, 9, b""), fact) for fact in facts]
        till = Till(random.Random(1), witness)
        for _ in range(2):
            await till.take("4" * 16, field="card", call_sid="CA1", key="CA1:c1:1")
        till.judge()
        assert (witness.broken.rule if witness.broken else 0) == rule
