from service.call import events as e
from service.call.facts.fact import SCHEMA_VERSION, Unknown


def test_a_facts_kind_is_its_name_in_small_letters_and_it_bears_its_version() -> None:
    text = e.encode(e.DropLimitReached(drops=3)).decode()
    assert text == f'{{"kind":"drop_limit_reached","drops":3,"v":{SCHEMA_VERSION}}}'


def test_a_fact_that_nobody_knows_keeps_its_words() -> None:
    assert e.encode(Unknown("moon_landed", b'{"kind":"moon_landed"}')) == b'{"kind":"moon_landed"}'
