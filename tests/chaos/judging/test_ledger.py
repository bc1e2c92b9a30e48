import pytest

from service.chaos.judging import ledger as ledgers
from service.chaos.judging.ledger import Ledger, Unanswered, content, lost
from tests.chaos.deployment import Deployment

pytestmark = pytest.mark.asyncio


@pytest.fixture
def ledger(deployment: Deployment) -> Ledger:
    deployment.keep_of("CA1", "greeted")
    return Ledger(deployment.url, "token")


async def test_what_is_new_is_read_and_notes_are_kept(
    ledger: Ledger, deployment: Deployment
) -> None:
    assert await ledger.look("CA1")
    assert await ledger.note("CA1", "a note")
    assert await ledger.look("CA1")
    assert (ledger.notes["CA1"], ledger.readings, ledger.resets) == (["a note"], 2, 0)
    journals = await ledger.whole(["CA1"])
    assert lost(ledger.seen, journals) == []
    assert len(ledger.seen["CA1"]) == len(journals["CA1"]) == len(deployment.journals["CA1"])
    await ledger.close()


async def test_a_record_that_is_gone_is_found(ledger: Ledger, deployment: Deployment) -> None:
    for number in range(3):
        await ledger.note("CA1", f"note {number}")
    await ledger.look("CA1")
    deployment.is_forgetful = True
    await ledger.look("CA1")
    assert ledger.resets == 1
    (gone, *_) = lost(ledger.seen, await ledger.whole(["CA1"]))
    assert "note 0" in gone
    await ledger.close()


async def test_no_answer_is_no_acknowledgement(
    ledger: Ledger, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.is_away = True
    assert not await ledger.look("CA1")
    assert not await ledger.note("CA1", "a note")
    assert ledger.notes == {}
    monkeypatch.setattr(ledgers, "ATTEMPTS_MAX", 1)
    with pytest.raises(Unanswered):
        await ledger.whole(["CA1"])
    await ledger.close()


async def test_a_record_may_move_and_what_was_kept_out_stands_beside() -> None:
    told = {"position": 3, "epoch": 2, "at": "now", "kind": "greeted", "v": 1}
    seen = {"CA1": {content(told): told}}
    assert lost(seen, {"CA1": [told | {"position": 1, "epoch": 4}]}) == []
    beside = {"position": 1, "kind": "branch_orphaned", "lost": ['{"kind":"greeted","v":1}']}
    assert lost(seen, {"CA1": [beside]}) == []
    assert lost(seen, {"CA1": [beside | {"lost": []}]})
    assert lost({}, {}) == []
    assert lost({"CA1": {}}, {"CA1": [told]}) == ["CA1: the positions have gaps"]
