import msgspec
import pytest

from service.journal.values import (
    Appended,
    Behind,
    Claim,
    Durability,
    Fenced,
    Full,
    Known,
    Lease,
    Missing,
    NotDurable,
    Record,
)

OUTCOMES = [
    Appended(3, Durability.LOCAL),
    Fenced(2),
    Behind(4),
    Missing(),
    NotDurable(3),
    Full(),
]


@pytest.mark.parametrize(
    ("incarnation", "position", "stands"),
    [("i", 1, True), ("i", 4, True), ("i", 5, False), ("i", 0, False), ("j", 1, False)],
)
def test_what_is_known_stands_while_the_journal_goes_as_far(
    incarnation: str, position: int, *, stands: bool
) -> None:
    assert Known(incarnation, position).stands_in("i", 4) == stands


def test_an_acknowledgement_names_what_it_is_worth() -> None:
    assert [level.value for level in Durability] == ["memory", "buffered", "local", "replica"]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda one: type(one).__name__)
def test_what_became_of_a_write_is_told_apart_from_everything_else(outcome: object) -> None:
    assert [other for other in OUTCOMES if other == outcome] == [outcome]


@pytest.mark.parametrize(
    "value",
    [Record(1, 0, 5, b"{}"), Lease("a", 1, 2, 3), Claim(1, "i", True, None, ())],  # noqa: FBT003 - the order of the fields
    ids=lambda one: type(one).__name__,
)
def test_a_value_never_changes(value: msgspec.Struct) -> None:
    field = value.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(value, field, None)
