import asyncio

import pytest

from service.simulator.account import Pace, Terms
from service.simulator.till import Till
from service.simulator.twiml.verbs import Pay

CARD = "4111111111111111"
ALL = Pay(attempts=2, asks=("securityCode", "postalCode"))
BARE = Pay(attempts=2)


def till(verb: Pay = BARE, outcome: str = "success") -> Till:
    pace = Pace(prompt_ms=0, connector_ms=0)
    return Till(verb, Terms(pay=outcome, pace=pace), "tok_1")


def keyed(keys: str, verb: Pay = BARE, outcome: str = "success") -> dict[str, str]:
    one = till(verb, outcome)
    for key in keys:
        one.press(key)
    return dict(one.told())


def test_numbers_that_are_right_become_a_token_and_leave_masked() -> None:
    assert keyed(f"{CARD}#1230123#94109#", ALL) == {
        "Result": "success",
        "PaymentToken": "tok_1",
        "PaymentMethod": "credit-card",
        "PaymentCardNumber": "xxxxxxxxxxxx1111",
        "ExpirationDate": "1230",
        "SecurityCode": "***",
        "PaymentCardPostalCode": "94109",
    }
    assert keyed(f"{CARD}#1230")["Result"] == "success"
    assert not keyed(f"{CARD}#12")


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (f"{CARD[:6]}*", "caller-interrupted-with-star"),
        (f"{CARD[:6]}#{CARD[:6]}#", "too-many-failed-attempts"),
        (f"4#{CARD}#9930#9930", "too-many-failed-attempts"),
        (f"4#{CARD}#9930#1230", "success"),
        (f"{CARD}#1230*5", "success"),
    ],
)
def test_what_is_wrong_is_asked_for_again_but_not_for_ever(keys: str, result: str) -> None:
    assert keyed(keys)["Result"] == result


def test_the_connector_answers_as_the_terms_say() -> None:
    assert keyed(f"{CARD}#1230", outcome="payment-connector-error") == {
        "Result": "payment-connector-error",
        "PaymentMethod": "credit-card",
        "PaymentCardNumber": "xxxxxxxxxxxx1111",
        "ExpirationDate": "1230",
    }
    assert keyed(f"{CARD}#1230", outcome="rejected")["PayErrorCode"] == "64012"
    assert keyed(f"{CARD}#1230", outcome="silent") == {}
    with pytest.raises(AssertionError, match="no outcome"):
        till(outcome="whatever")


@pytest.mark.asyncio
async def test_a_pause_ends_a_number_and_silence_is_an_attempt() -> None:
    one = till(Pay(attempts=2, key_pause_ms=10))
    running = asyncio.create_task(one.run())
    for key in CARD:
        one.press(key)
    await running
    assert one.result == "too-many-failed-attempts"
    assert dict(one.told())["PaymentCardNumber"] == "xxxxxxxxxxxx1111"
