import typing

from service.call.facts.private import PrivateFact


def test_no_fact_of_what_is_private_has_room_for_words_or_digits() -> None:
    fields = {name for kind in typing.get_args(PrivateFact) for name in kind.__struct_fields__}
    assert fields == {
        "v", "times", "by", "collection", "field", "keys_min", "keys_max", "is_card", "count", "fits",
        "reason", "keys", "outcome", "reference", "detail",
    }  # fmt: skip
