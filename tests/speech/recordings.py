"""The recorded callers of fixtures/audio, and how far a transcript is from what was said."""

import re
from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parents[2] / "fixtures" / "audio"
_NUMBERS = {
    "17": ["seventeen"],
    "10": ["ten"],
    "tkt1234": ["t", "k", "t", "one", "two", "three", "four"],
    "tkt4821": ["t", "k", "t", "four", "eight", "two", "one"],
}


class Recording(msgspec.Struct, frozen=True):
    """One line of the manifest."""

    file: str
    kind: str
    says: str
    heard: str
    speaker: str
    source: str
    licence: str
    samples: int
    sha256: str

    @property
    def ulaw(self) -> bytes:
        return (FOLDER / self.file).read_bytes()


@cache
def manifest() -> tuple[Recording, ...]:
    text = (FOLDER / "manifest.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[Recording, ...], strict=True)


def of_kind(*kinds: str) -> list[Recording]:
    return [recording for recording in manifest() if recording.kind in kinds]


def recording(file: str) -> bytes:
    (found,) = [listed for listed in manifest() if listed.file == file]
    return found.ulaw


def words(text: str) -> list[str]:
    """Return the words in small letters, hyphens parted, the numbers of these recordings spelled."""
    plain = re.sub(r"[^\w\s]", "", text.lower().replace("-", " ").replace("mr.", "mister"))
    return [part for word in plain.split() for part in _NUMBERS.get(word, [word])]


def words_wrong(said: str, heard: str) -> int:
    """Return how many words must be changed, left out or put in to make one text the other."""
    want, got = words(said), words(heard)
    row = list(range(len(got) + 1))
    for count, word in enumerate(want, start=1):
        above, row = row, [count]
        for at, other in enumerate(got, start=1):
            row.append(min(above[at] + 1, row[-1] + 1, above[at - 1] + (word != other)))
    return row[-1]
