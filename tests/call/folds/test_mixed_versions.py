"""Journals that a newer version wrote in, too: what it alone knows is kept and skipped. R-7."""

import json
import random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from service.call import events as e
from service.call.folds.fold import fold, fold_all
from service.call.place import Place
from service.call.shown.view import record_view, view
from service.call.snapshot import packed, unpacked
from service.call.state import Call
from tests.call.test_walk import Walk

STEPS = 25
FUTURE: tuple[Any, ...] = (
    {"kind": "moon_landed", "v": 2, "by": "us", "at": [1, {"deep": None}]},
    {"kind": "call_ended", "v": 2, "reason": "beamed_up"},
    {"kind": "stream_detached", "v": 7},
    {"kind": "played", "prompt": ["p1"], "v": 1},
    {"kind": "field_filled", "name": "name"},
    {"kind": ["a", "list"]},
    {"position": -1, "epoch": "x", "at": 0, "kind": "line\nbreak"},
    {"no": "kind"},
    [1, 2],
    "a word",
    None,
    1e300,
)

Journal = list[tuple[e.AnyFact, Place]]


def walked(seed: int) -> Walk:
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
    return walk


def planted(journal: Journal, chance: random.Random) -> Journal:
    """Return the journal with future kinds in their places, and future fields in known facts.

    Every record moves up, as it would have; the clock stands still for what is planted.
    """
    grown: Journal = []
    for fact, place in journal:
        while chance.random() < 0.4:
            body = json.dumps(chance.choice(FUTURE)).encode()
            grown.append((e.decode(body), replace(place, position=len(grown) + 1)))
        body = e.encode(fact)
        if chance.random() < 0.5:
            body = body[:-1] + b',"mood":{"of":"the caller"},"more":[1,2]}'
        grown.append((e.decode(body), replace(place, position=len(grown) + 1)))
    return grown


def without_positions(thing: Any) -> Any:
    """Return the state as plain values, but for where its records stand."""
    match thing:
        case dict():
            return {
                name: without_positions(value)
                for name, value in thing.items()
                if "position" not in name
            }
        case list() | tuple():
            return [without_positions(value) for value in thing]
        case _:
            return thing


@pytest.mark.parametrize("seed", range(60))
def test_what_a_newer_version_planted_changes_nothing_but_places(seed: int) -> None:
    journal: Journal = list(walked(seed).story.journal)
    chance = random.Random(seed)
    grown = planted(journal, chance)
    plain = fold_all(Call(call_sid="CA1"), journal)
    mixed = fold_all(Call(call_sid="CA1"), grown)
    shown, shown_mixed = (without_positions(view(call, incarnation="i")) for call in (plain, mixed))
    assert shown_mixed == shown, f"seed {seed}"
    assert without_positions(msgspec.to_builtins(mixed)) == without_positions(
        msgspec.to_builtins(plain)
    ), f"seed {seed}"
    assert mixed.position == len(grown)
    cut = chance.randrange(len(grown))
    half = unpacked(packed(fold_all(Call(call_sid="CA1"), grown[:cut])))
    assert fold_all(half, grown[cut:]) == mixed, f"seed {seed}"


@pytest.mark.parametrize("future", FUTURE, ids=repr)
def test_what_is_not_known_is_shown_and_kept_byte_for_byte(future: Any) -> None:
    body = json.dumps(future).encode()
    fact = e.decode(body)
    assert isinstance(fact, e.Unknown)
    assert e.encode(fact) == body
    shown = record_view(fact, Place(3, 1, 5))
    assert (shown["position"], shown["epoch"], shown["at"]) == (3, 1, "1970-01-01T00:00:00.005Z")
    assert "\n" not in json.dumps(shown)
    call = fold(Call(call_sid="CA1", phase="live"), fact, Place(3, 1, 5))
    assert (call.phase, call.position, call.updated_ms) == ("live", 3, 5)


def test_every_record_says_its_version_and_one_without_is_of_the_first() -> None:
    for fact, _ in walked(1).story.journal:
        body = json.loads(e.encode(fact))
        assert body["v"] == e.SCHEMA_VERSION
        del body["v"]
        assert e.decode(json.dumps(body).encode()) == replace(fact, v=1)
