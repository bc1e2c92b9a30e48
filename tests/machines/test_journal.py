"""Hypothesis against every backend: whatever the order, the answers are the reference's (R-1, R-2, R-5)."""

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from service.journal.journal import Journal
from service.journal.stores import connect
from tests.machines.journal_machine import JournalMachine
from tests.standins.valkey import Valkey

TTL_MS = 86_400_000  # nothing of a run expires
EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "60"))


def lived(url: str, *, examples: int) -> None:
    """Run the machine on the store at a URL; `*` in it is another one each time."""
    numbers = itertools.count()

    async def opened() -> Journal:
        journal = connect(url.replace("*", str(next(numbers))), ttl_ms=TTL_MS)
        await journal.start()
        return journal

    class Machine(JournalMachine):
        def __init__(self) -> None:
            super().__init__(opened)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(300)
def test_memory_answers_as_the_reference() -> None:
    lived("sqlite://:memory:", examples=EXAMPLES)


@pytest.mark.timeout(300)
def test_sqlite_answers_as_the_reference(tmp_path: Path) -> None:
    lived(f"sqlite:///{tmp_path}/calls-*.db", examples=EXAMPLES // 3)


@pytest.mark.timeout(300)
@pytest.mark.skipif(not os.environ.get("REQUIRE_REDIS"), reason="REQUIRE_REDIS is not set")
def test_redis_answers_as_the_reference(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server:
        lived(server.url, examples=EXAMPLES // 3)
