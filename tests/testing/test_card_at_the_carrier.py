"""A card that the carrier collects by `<Pay>`, through what can happen to streams, servers and its own word."""

from typing import Any

import pytest

from service.call.decisions import paying
from service.simulator.account import Terms
from service.testing.phone_call import PhoneCall
from service.testing.stayline import PACE, Stayline
from tests.testing.agents import Cashier

CARD = "4111111111111111"
KEYS = f"{CARD}#1230"


@pytest.fixture
def stayline_settings() -> dict[str, Any]:
    return {
        "collect_with": "pay",
        "pay_security_code": False,
        "pay_postal_code": False,
        "transfer_to": "+15550199",
    }


def at_the_till(stayline: Stayline, **terms: Any) -> PhoneCall:
    call = stayline.call(Cashier, terms=Terms(pace=PACE, **terms))
    call.hears("Cash desk, hello")
    return asked(call)


def asked(call: PhoneCall) -> PhoneCall:
    call.says("I would like to pay")
    call.hears("Please have your card ready")
    return call.until(lambda it: it.is_at_till, "the carrier collects")


def comes_back(call: PhoneCall, streams: int = 2) -> PhoneCall:
    return call.until(
        lambda it: len(it.state["streams"]) == streams and it.state["phase"] == "live",
        "the stream comes back",
    )


def ends(call: PhoneCall) -> list[tuple[str, str]]:
    return [(one["outcome"], one.get("reference", "")) for one in call.journal("collection_ended")]


@pytest.fixture
def till_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks what is next is not taken for the verb that the order for the till has just cut."""
    monkeypatch.setattr(paying, "CUT_MS_MAX", 0)


def nothing_tells(call: PhoneCall) -> bool:
    told = f"{call.journal()} {call.state}"
    return not any(one in told for one in (CARD, CARD[:6], CARD[-6:], "1230", "xxxx"))


def test_a_card_goes_to_the_carrier_and_only_a_token_comes_here(stayline: Stayline) -> None:
    call = at_the_till(stayline)
    assert call.state["collection"] == {
        "field": "card",
        "keys": "",
        "is_passed": True,
        "sink": "pay",
    }
    assert not call.phone.is_live
    call.presses(KEYS)
    call.hears("Your card was taken")
    comes_back(call)
    assert call.fields["card"].startswith("tok_")
    assert ends(call) == [("taken", call.fields["card"])]
    assert [one["cause"] for one in call.state["streams"]] == ["new", "dtmf"]
    assert call.state["streams"][0]["reason"] == "restart"
    assert call.greetings == 1
    assert not call.journal("keys_masked")
    assert nothing_tells(call)
    assert not call.phone.warnings
    call.says("good bye").ends()


@pytest.mark.parametrize(
    ("keys", "terms", "outcome"),
    [
        (f"{CARD[:5]}*", {}, "given up"),
        ("4#" * 3, {}, "given up"),
        (KEYS, {"pay": "payment-connector-error"}, "failed"),
        (KEYS, {"pay": "rejected"}, "refused"),
        (KEYS, {"pay": "validation-error"}, "failed"),
        (KEYS, {"pay": "silent"}, "failed"),
    ],
)
def test_the_agent_hears_how_it_came_out(
    stayline: Stayline, keys: str, terms: dict[str, Any], outcome: str
) -> None:
    call = at_the_till(stayline, **terms).presses(keys)
    call.hears(f"Your card was {outcome}")
    assert ends(call) == [(outcome.replace(" ", "_"), "")]
    assert "card" not in call.fields
    assert nothing_tells(call)


@pytest.mark.parametrize("how", ["kill", "restart"])
def test_a_server_that_goes_while_the_card_is_keyed_is_not_missed(
    stayline: Stayline, how: str
) -> None:
    call = at_the_till(stayline).presses(CARD[:7])
    if how == "kill":
        call.house.kill()
    else:
        call.house.restart()
    assert call.is_at_till
    call.presses(f"{CARD[7:]}#1230")
    call.hears("Your card was taken")
    assert call.greetings == 1
    assert nothing_tells(call)


@pytest.mark.usefixtures("till_has_begun")
def test_a_stream_that_comes_back_without_a_word_asks_again_and_not_for_ever(
    stayline: Stayline,
) -> None:
    call = at_the_till(stayline).presses(CARD[:7])
    for round_ in (2, 3):
        led_back(call)
        call.hears("You will be asked once more")
        call.until(lambda it: it.is_at_till, f"the carrier collects for the {round_}. time")
    led_back(call)
    call.hears("Your card was given up")
    assert ends(call) == [("given_up", "")]
    assert len(call.journal("pay_planned")) == 3
    assert call.greetings == 1


@pytest.mark.usefixtures("till_has_begun")
def test_a_card_of_a_round_that_was_asked_again_is_taken_all_the_same(stayline: Stayline) -> None:
    call = at_the_till(stayline)
    led_back(call)
    call.hears("You will be asked once more")
    call.until(lambda it: it.is_at_till, "the carrier collects again")
    call.presses(KEYS)
    call.hears("Your card was taken")
    assert len(ends(call)) == 1


@pytest.mark.parametrize("style", ["reset", "half-open", "double-webhook", "late-stop"])
def test_a_drop_before_the_carrier_begins_only_delays_it(stayline: Stayline, style: str) -> None:
    call = stayline.call(Cashier)
    call.hears("Cash desk, hello")
    call.says("I would like to pay")
    call.until(lambda it: it.state["collection"], "it is asked for")
    call.drop_stream(style).until(lambda it: it.is_at_till, "the carrier collects")
    call.presses(KEYS)
    call.hears("Your card was taken")
    assert call.greetings == 1


def test_a_carrier_that_can_not_be_asked_lets_the_agent_go_on(stayline: Stayline) -> None:
    call = stayline.call(Cashier)
    call.hears("Cash desk, hello")
    stayline._exchange.answer_busy(5)
    call.says("I would like to pay")
    call.hears("Your card was failed", within_ms=20_000)
    assert call.state["phase"] == "live"
    assert len(call.state["streams"]) == 1


def test_keys_that_come_too_early_are_nobodys(stayline: Stayline) -> None:
    call = stayline.call(Cashier)
    call.hears("Cash desk, hello")
    call.says("I would like to pay")
    call.until(lambda it: it.state["collection"], "it is asked for")
    for key in CARD:
        call._thread.do(call.phone.press(key))
    call.until(lambda it: it.is_at_till, "the carrier collects")
    assert "Please have your card ready." in call.heard
    call.presses(KEYS)
    call.hears("Your card was taken")
    assert nothing_tells(call)


def test_a_caller_who_hangs_up_at_the_till_has_hung_up(stayline: Stayline) -> None:
    call = at_the_till(stayline).presses(CARD[:7]).hangs_up()
    call.ends()
    assert not ends(call)


def test_a_person_may_end_the_call_or_take_it_while_the_card_is_keyed(stayline: Stayline) -> None:
    call = at_the_till(stayline)
    call.person("hangup")
    call.ends()
    second = at_the_till(stayline)
    second.person("transfer", to="+15550199")
    second.until(lambda it: it.state["phase"] == "ended", "it is transferred")


def led_back(call: PhoneCall) -> None:
    """Have the carrier leave the till, as when nobody has heard of it for long."""
    server = call.house.server
    url = f"{call.house.url}/twiml/resume"
    server.thread.do(server.parts.carrier.redirect(call.call_sid, url))
