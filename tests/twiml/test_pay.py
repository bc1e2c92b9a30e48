import pytest

from service.documents import Documents
from service.trust.token import TokenMint
from tests.web.front import parsed
from twiml.pay import Terms, collected

AFTER = "https://calls.example.com/twiml/paid?pay=c1.1"


def test_the_carrier_collects_and_both_ways_back_lead_to_how_it_went() -> None:
    root = parsed(collected(AFTER, Terms(connector="Till 1", token_type="one-time")).xml)
    assert [verb.tag for verb in root] == ["Pay", "Redirect"]
    pay, redirect = root
    assert pay.attrib == {
        "action": f"{AFTER}#rc=5&rp=all",
        "input": "dtmf",
        "maxAttempts": "3",
        "paymentConnector": "Till 1",
        "paymentMethod": "credit-card",
        "postalCode": "true",
        "securityCode": "true",
        "timeout": "5",
        "tokenType": "one-time",
    }
    assert redirect.text == AFTER


def test_there_is_never_an_amount_and_what_is_not_wanted_is_not_asked_for() -> None:
    terms = Terms(asks_security_code=False, asks_postal_code=False)
    pay = parsed(collected(AFTER, terms).xml)[0]
    assert "chargeAmount" not in pay.attrib
    assert (pay.get("securityCode"), pay.get("postalCode")) == ("false", "false")


def test_nobody_listens_meanwhile() -> None:
    root = parsed(collected(AFTER, Terms(), ["ear-3", "ear-2"]).xml)
    assert [verb.tag for verb in root] == ["Stop", "Stop", "Pay", "Redirect"]
    assert [str(one.get("name")) for one in root.iter("Stream")] == ["ear-3", "ear-2"]


@pytest.mark.parametrize("name", ["", "x" * 65, "<Pay>", "ü"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="connector's name"):
        Terms(connector=name)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="absolute"):
        collected("/twiml/paid", Terms())


def test_our_own_document_stops_the_ears_that_may_still_listen() -> None:
    def made(*, gap_ear: bool, epoch: int) -> list[str]:
        documents = Documents(
            "https://calls.example.com", TokenMint(["s"]), lambda: "n" * 16, "", gap_ear=gap_ear
        )
        root = parsed(documents.pay("c1.1", epoch=epoch))
        assert root.findall("Pay")[0].get("action") == f"{AFTER}#rc=5&rp=all"
        return [str(one.get("name")) for one in root.iter("Stream")]

    assert made(gap_ear=True, epoch=3) == ["ear-3", "ear-2"]
    assert made(gap_ear=True, epoch=1) == ["ear-1"]
    assert made(gap_ear=False, epoch=3) == []
