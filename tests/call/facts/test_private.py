import typing

from service.call.events import decode
from service.call.facts.private import CollectionBegan, PrivateFact


def test_no_fact_of_what_is_private_has_room_for_words_or_digits() -> None:
    fields = {name for kind in typing.get_args(PrivateFact) for name in kind.__struct_fields__}
    assert fields == {
        "v", "times", "by", "collection", "field", "keys_min", "keys_max", "is_card", "count", "fits",
        "reason", "keys", "outcome", "reference", "detail", "sink", "round", "cause",
    }  # fmt: skip


def test_a_number_of_an_older_journal_was_for_our_own_sink() -> None:
    older = b'{"kind":"collection_began","collection":"c1","field":"card","keys_min":13,"keys_max":19,"v":1}'
    began = decode(older)
    assert isinstance(began, CollectionBegan)
    assert began.sink == "http"
