import msgspec
import pytest

from service.call.person_inputs import PersonBegan, PersonMissed


@pytest.mark.parametrize("happened", [PersonBegan("h1-1", "ana"), PersonMissed("h1-1")])
def test_what_a_person_does_is_a_value(happened: msgspec.Struct) -> None:
    assert happened.__struct_config__.frozen
    assert msgspec.json.decode(msgspec.json.encode(happened), type=type(happened)) == happened
