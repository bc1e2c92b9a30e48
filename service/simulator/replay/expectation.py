"""What a user expects of a call, in their own words: `greeted=1`, `fields.ticket_id=TKT-1234`, `streams>=3`.

A name is looked up in this order: a figure of the call as the carrier saw it (streams, drops ...); a
dotted path into the call as the service shows it, where {"value": ...} stands for its value; a kind of
record, which is counted.
"""

import re
from collections.abc import Mapping

import msgspec

from service.simulator.replay.api import Snapshot

EXPECTATION = re.compile(r"([a-z_][a-z0-9_.]{0,100})(>=|<=|!=|=|>|<)(.{0,200})", re.IGNORECASE)


class Expectation(msgspec.Struct, frozen=True):
    """A name, one of = != > < >= <=, and what to compare with."""

    name: str
    relation: str
    wanted: str


def parse(text: str) -> Expectation:
    """Read an expectation; raises ValueError with one clear sentence."""
    found = EXPECTATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no expectation: write NAME=VALUE, NAME>=NUMBER or the like")
    wanted = found[3].strip()
    if found[2] not in {"=", "!="} and not _is_number(wanted):
        raise ValueError(f"{text!r} compares with {wanted!r}, which is no whole number")
    return Expectation(found[1], found[2], wanted)


def found_value(
    name: str, figures: Mapping[str, int], snapshot: Snapshot | None
) -> str | int | None:
    """Look a name up; None when nothing bears it and no record can be counted."""
    if name in figures:
        return figures[name]
    if snapshot is None:
        return None
    value = _at_path(snapshot.call, name.split("."))
    if value is not None:
        return value
    if "." in name:
        return None
    return sum(1 for record in snapshot.records if record.get("kind") == name)


def is_met(expectation: Expectation, value: str | int | None) -> bool:
    """Compare; numbers as numbers, all else as text."""
    if value is None:
        return False
    wanted, shown = expectation.wanted, str(value)
    if not (_is_number(wanted) and _is_number(shown)):
        return (shown == wanted) is (expectation.relation == "=") and expectation.relation in {
            "=",
            "!=",
        }
    left, right = int(shown), int(wanted)
    return {
        "=": left == right,
        "!=": left != right,
        ">": left > right,
        "<": left < right,
        ">=": left >= right,
        "<=": left <= right,
    }[expectation.relation]


def _at_path(shown: object, path: list[str]) -> str | int | None:
    value: object = shown
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return _plain(value["value"] if isinstance(value, dict) and "value" in value else value)


def _plain(value: object) -> str | int | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, str | int) else None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,15}", text) is not None
