"""Journals as they once stood in a store, and what they folded to: the golden corpus.

Three files a family:

    tools.jsonl   one journal a line, one record `[epoch, ms since the one before, fact]`, the fact byte
                  for byte; never changed
    tools.sums    a journal a line: the SHA-256 of its state, that of what the API shows of it, its name
    tools.json    the first journal's state and view in full, so that a change can be read
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from service.call import events as e
from service.call.folds.fold import fold_all
from service.call.place import Place
from service.call.replay.recording import Recording, recorded
from service.call.replay.sums import bare, digest
from service.call.shown.view import view
from service.call.snapshot import packed, unpacked
from service.call.state import Call

FOLDER = Path(__file__).parent
INCARNATION = "golden"


class Entry(msgspec.Struct, frozen=True):
    """One journal of the corpus."""

    name: str
    records: tuple[tuple[int, int, msgspec.Raw], ...]

    def facts(self) -> Iterator[tuple[e.AnyFact, Place]]:
        at_ms = 0
        for position, (epoch, later_ms, body) in enumerate(self.records, 1):
            at_ms += later_ms
            yield e.decode(bytes(body)), Place(position, epoch, at_ms)


def recording(one: Entry) -> Recording:
    """Return a journal as `stayline journal export` would write it."""
    moments = (
        (place, body) for (_, place), (_, _, body) in zip(one.facts(), one.records, strict=True)
    )
    return recorded((place.epoch, place.at_ms, bytes(body)) for place, body in moments)


def entry(name: str, records: Iterable[tuple[int, int, bytes]]) -> Entry:
    """Return a journal of records: each an epoch, a moment and a body."""
    found, before_ms = [], 0
    for epoch, at_ms, body in records:
        found.append((epoch, at_ms - before_ms, msgspec.Raw(body)))
        before_ms = at_ms
    return Entry(name, tuple(found))


def folded(one: Entry) -> Call:
    """Fold a journal, and fold it once more from a snapshot half way: both must be the same."""
    facts = list(one.facts())
    call = fold_all(Call(), facts)
    half = unpacked(packed(fold_all(Call(), facts[: len(facts) // 2])))
    assert fold_all(half, facts[len(facts) // 2 :]) == call, one.name
    return call


def sums(entries: Iterable[Entry]) -> str:
    """Return what the journals fold to now, a line each."""
    calls = ((one, folded(one)) for one in entries)
    return "".join(
        f"{digest(bare(call))} {digest(shown(call))} {one.name}\n" for one, call in calls
    )


def shown(call: Call) -> dict[str, Any]:
    """Return what `GET /api/calls/{call_sid}` answers."""
    return view(call, incarnation=INCARNATION)


def families() -> dict[str, tuple[Entry, ...]]:
    """Return the whole corpus, by family."""
    decoder = msgspec.json.Decoder(Entry)
    return {
        path.stem: tuple(map(decoder.decode, path.read_bytes().splitlines()))
        for path in sorted(FOLDER.glob("*.jsonl"))
    }


def kept(family: str, kind: str) -> str:
    """Return what stands in a family's file."""
    return (FOLDER / f"{family}.{kind}").read_text(encoding="utf-8")


def add(family: str, entries: Iterable[Entry]) -> None:
    """Write a new family."""
    lines = b"".join(msgspec.json.encode(one) + b"\n" for one in entries)
    (FOLDER / f"{family}.jsonl").write_bytes(lines)


def fold() -> None:
    """Write what the whole corpus folds to now."""
    for family, entries in families().items():
        (FOLDER / f"{family}.sums").write_text(sums(entries), encoding="utf-8")
        (FOLDER / f"{family}.json").write_text(example(entries), encoding="utf-8")


def example(entries: tuple[Entry, ...]) -> str:
    """Return the first journal's state and view, in full."""
    call = folded(entries[0])
    told = {"name": entries[0].name, "state": bare(call), "view": shown(call)}
    return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
