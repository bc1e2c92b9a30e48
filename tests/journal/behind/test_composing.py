import random
from pathlib import Path

import pytest

from service.clock import Clock
from service.journal.behind.composing import bridged, shelf_folder
from service.journal.behind.reach import DISK, NETWORK
from service.journal.stores import connect
from service.meter import Meter
from tests.journal.backends import orphan


def test_every_store_has_a_folder_of_its_own_whatever_its_password_is() -> None:
    first = shelf_folder("var/behind", "redis://:one@h:6379/0")
    assert first is not None
    assert first.parent == Path("var/behind")
    assert first == shelf_folder("var/behind", "redis://:two@h:6379/0")
    assert first != shelf_folder("var/behind", "redis://h:6379/1")
    assert shelf_folder("var/behind", "sqlite://:memory:") is None


@pytest.mark.parametrize(
    ("url", "deadlines"), [("sqlite:///x.db", DISK), ("redis://127.0.0.1:1", NETWORK)]
)
def test_a_store_is_given_the_time_of_its_kind(url: str, deadlines: object) -> None:
    bridge = bridged(
        connect(url, ttl_ms=60_000),
        url,
        folder="var/behind",
        name="1-ab",
        orphan=orphan,
        clock=Clock(),
        meter=Meter(),
        chance=random.Random(1),
    )
    assert bridge._deadlines is deadlines
    assert bridge._shelf._name == "1-ab"
