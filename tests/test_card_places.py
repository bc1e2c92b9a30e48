import random
from pathlib import Path

import pytest

from service.session.vault import is_card
from tests.card_places import WORDS, Disk, hits
from tests.cards import card

NUMBER = card(random.Random(3))


@pytest.mark.parametrize(
    "told",
    [
        f"x{NUMBER[:8]}",
        f"{NUMBER[-8:]}x",
        f"it is {' '.join(WORDS[int(digit)] for digit in NUMBER[:4])} and",
        "".join(f'{{"kind": "key", "digit": "{digit}"}}\n' for digit in NUMBER),
        b"\x07" + int(NUMBER).to_bytes(8, "little"),
    ],
    ids=["beginning", "end", "words", "one by one", "a whole number"],
)
def test_a_number_is_found_however_it_is_told(told: str | bytes) -> None:
    assert is_card(NUMBER)
    assert hits(NUMBER, told)


def test_too_little_of_a_number_is_not_found() -> None:
    assert not hits(NUMBER, NUMBER[:7])
    assert not hits(NUMBER, " ".join(WORDS[int(digit)] for digit in NUMBER[:3]))


def test_what_only_grows_is_read_once(tmp_path: Path) -> None:
    log, page = tmp_path / "log", tmp_path / "page.db"
    disk = Disk(tmp_path)
    log.write_bytes(b"one ")
    page.write_bytes(b"same")
    assert b"one" in disk.fresh()
    with log.open("ab") as more:
        more.write(b"two")
    again = disk.fresh()
    assert b"one" not in again
    assert b"two" in again
    assert b"same" in again
    assert b"one two" in disk.whole()
