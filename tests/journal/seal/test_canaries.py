"""S-8: after an erasure nothing of a call is in the database, its log, the keys, the shelf or a log line.

python -m pytest tests/journal/seal/test_canaries.py        100 calls; ERASURES=1000 for as many
"""

import logging
import os
import random
from pathlib import Path

import pytest

from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.behind.bridge import Bridge
from service.journal.behind.composing import bridged
from service.journal.seal.composing import sealed
from service.journal.seal.journal import SealedJournal
from service.journal.seal.shelf import ShelfSeal
from service.journal.values import Missing
from service.meter import Meter
from tests.conftest import wait_until
from tests.journal.backends import orphan
from tests.journal.sealing import KEY
from tests.journal.taking import take

ERASURES = int(os.environ.get("ERASURES", "100"))


def canary(call: int) -> bytes:
    return b"canary-%06d-word" % call


def house(folder: Path, name: str) -> Bridge:
    url = f"sqlite:///{folder}/calls.db"
    engine = sealed(url, (KEY,), tenant_of=lambda _: "", ttl_ms=1_800_000)
    return bridged(
        engine,
        url,
        folder=str(folder / "behind"),
        name=name,
        orphan=orphan,
        clock=Clock(),
        meter=Meter(),
        chance=random.Random(1),
        seal=ShelfSeal(engine.masters),
    )


async def talk(bridge: Bridge, call: int) -> None:
    """Let a call say its word in every way that is kept."""
    call_sid, word, now_ms = f"CA{call}", canary(call), Clock().now_ms()
    await bridge.remember(word.decode(), call_sid, ttl_ms=60_000, now_ms=now_ms)
    claim = await take(bridge, call_sid, [word], owner="one", until_ms=now_ms, now_ms=now_ms)
    head = claim.records[-1].position
    for n in range(3):
        await bridge.append(
            call_sid, [word * 9], epoch=claim.epoch, after=head + n, key=f"{n}", now_ms=now_ms
        )
    await bridge.append(call_sid, [word], epoch=None, after=None, key="note", now_ms=now_ms)
    await bridge.snapshot(call_sid, epoch=claim.epoch, position=head + 3, body=word * 50)


def found_in(folder: Path) -> set[str]:
    """Return the files that have a canary in them, or the wrapped key of a call."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in files if b"canary-" in path.read_bytes()}


def keys_in(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.key"))


@pytest.mark.asyncio
@pytest.mark.timeout(max(30, ERASURES))
async def test_nothing_is_found_of_calls_that_were_erased(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bridge = house(tmp_path, "one")
    await bridge.start()
    for call in range(ERASURES):
        await talk(bridge, call)
    assert found_in(tmp_path) == set()
    assert keys_in(tmp_path) == ERASURES
    backup = (tmp_path / "calls.db").read_bytes(), (tmp_path / "calls.db-wal").read_bytes()
    assert b"canary-" not in b"".join(backup)
    for call in range(ERASURES):
        assert await bridge.erase(f"CA{call}")
        assert await bridge.read(f"CA{call}") == Missing()
        assert await bridge.recall(canary(call).decode(), now_ms=Clock().now_ms()) is None
    await bridge.sweep(now_ms=Clock().now_ms())
    assert found_in(tmp_path) == set()
    assert keys_in(tmp_path) == 0
    content = (tmp_path / "calls.db").read_bytes()
    assert b"CA1" not in content  # the row itself was overwritten, too
    await bridge.close()
    assert "canary-" not in caplog.text


@pytest.mark.asyncio
async def test_what_waits_on_a_shelf_is_sealed_and_read_by_the_next_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    bridge = house(tmp_path, "one")
    await bridge.start()
    await talk(bridge, 0)
    with monkeypatch.context() as outage:
        for name in ("append", "open", "claim", "check", "lease"):
            outage.setattr(SealedJournal, name, away)
        now_ms = Clock().now_ms()
        await bridge.append("CA0", [canary(0) * 3], epoch=1, after=5, key="late", now_ms=now_ms)
        (shelf,) = shelves(tmp_path)
        assert shelf.stat().st_size > 100
        assert found_in(tmp_path) == set()
        await bridge.close()
    heir = house(tmp_path, "two")
    await heir.start()
    await wait_until(lambda: not heir.arrears.calls, description="the store has all")
    reading = await heir.read("CA0")
    assert not isinstance(reading, Missing)
    assert reading.records[-1].body == canary(0) * 3
    await heir.close()
    assert shelves(tmp_path) == []
    assert "canary-" not in caplog.text


def shelves(folder: Path) -> list[Path]:
    return list((folder / "behind").rglob("*.shelf"))
