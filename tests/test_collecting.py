from typing import Any

import pytest

from service.collecting import collected, pay_terms, pays, sink
from service.errors import ConfigError
from tests.web.front import settings
from twiml.pay import Terms


def test_a_number_goes_to_our_own_sink_where_one_is_set() -> None:
    assert sink(settings()) is None
    assert sink(settings(collect_url="https://sink.example.com")) is not None
    assert sink(settings(collect_url="http://127.0.0.1:9000")) is not None
    with pytest.raises(ConfigError, match="COLLECT_URL: expected https"):
        sink(settings(collect_url="http://sink.example.com"))
    with pytest.raises(ConfigError, match="COLLECT_WITH: http needs COLLECT_URL"):
        sink(settings(collect_with="http"))


def test_cards_go_to_the_carrier_where_the_settings_say_so() -> None:
    assert not pays(settings(collect_url="https://sink.example.com"))
    assert pays(settings(collect_with="pay"))
    told = settings(
        collect_with="pay", pay_connector="Till", pay_token="one-time", pay_postal_code=False
    )
    assert pay_terms(told) == Terms(connector="Till", token_type="one-time", asks_postal_code=False)


def test_models_are_offered_what_somebody_takes() -> None:
    url = "https://sink.example.com"
    assert collected(settings()) == ""
    assert collected(settings(collect_with="pay")) == "cards"
    assert collected(settings(collect_url=url)) == "numbers"
    assert collected(settings(collect_with="pay", collect_url=url)) == "numbers"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"carrier": "telnyx"}, "COLLECT_WITH: pay is a verb of Twilio's, and CARRIER is telnyx"),
        ({"public_url": "http://calls.example.com"}, "COLLECT_WITH: pay needs https in PUBLIC_URL"),
        ({"call_ttl_s": 300}, "COLLECT_WITH: pay needs a CALL_TTL_S over 300"),
        ({"pay_connector": "<Pay>"}, "PAY_CONNECTOR: A connector's name"),
    ],
)
def test_where_the_carrier_can_not_collect_that_is_one_clear_line(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as told:
        pay_terms(settings(collect_with="pay", **changes))
    assert "\n" not in str(told.value)


def test_on_this_machine_alone_http_will_do() -> None:
    pay_terms(settings(collect_with="pay", public_url="http://127.0.0.1:8000"))
