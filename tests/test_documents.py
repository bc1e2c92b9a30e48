import logging
import re
from xml.etree import ElementTree as ET

import pytest

from service.documents import (
    APOLOGY,
    CALLBACK_LINE,
    FALLBACK_APOLOGY,
    FALLBACKS_MAX,
    NO_MESSAGE,
    RESTART_LINE,
    THANKS,
    TRANSFER_LINE,
    VOICEMAIL_LINE,
    Documents,
)
from service.errors import ConfigError
from service.token import Token, TokenMint
from twiml.verbs import fits_rest_update

NOW_MS = 1_700_000_000_000
URL = "https://voice.example.com/line"
MINT = TokenMint(["secret"])


@pytest.fixture
def documents() -> Documents:
    return Documents(URL, MINT, lambda: "nonce0123456789x", "")


def verbs(xml: str) -> list[str]:
    return [verb.tag for verb in ET.fromstring(xml)]  # noqa: S314 - our own document


def parameters(xml: str) -> dict[str, str]:
    found = ET.fromstring(xml).iter("Parameter")  # noqa: S314 - our own document
    return {one.attrib["name"]: one.attrib["value"] for one in found}


def test_a_stream_opens_with_the_contract_a_token_and_both_ways_back(documents: Documents) -> None:
    xml = documents.connect(
        "CA1", {"client_name": "Zoë & Co", "tier": "1"}, door="voice", is_known=False, now_ms=NOW_MS
    )
    sent = parameters(xml)
    token = MINT.read(sent.pop("token"), "CA1", now_ms=NOW_MS)
    assert isinstance(token, Token)
    assert (token.door, token.is_known, token.nonce) == ("voice", False, "nonce0123456789x")
    assert sent == {"client_name": "Zoë & Co", "company": "", "ticket_id": "", "tier": "1"}
    assert verbs(xml) == ["Connect", "Redirect"]
    assert 'url="wss://voice.example.com/line/media"' in xml
    assert xml.count(f"{URL}/twiml/resume") == 2
    assert f'statusCallback="{URL}/callbacks/stream"' in xml


def test_a_plain_address_gives_a_plain_socket() -> None:
    documents = Documents("http://127.0.0.1:8000", MINT, lambda: "n" * 16, "")
    xml = documents.connect("CA1", {}, door="resume", is_known=True, now_ms=NOW_MS)
    assert 'url="ws://127.0.0.1:8000/media"' in xml


def test_digits_are_played_before_the_stream_comes_back_as_a_known_call(
    documents: Documents,
) -> None:
    xml = documents.play_digits("CA1", {"company": "Acme"}, "1w2", now_ms=NOW_MS)
    assert verbs(xml) == ["Play", "Connect", "Redirect"]
    assert 'digits="1w2"' in xml
    token = MINT.read(parameters(xml)["token"], "CA1", now_ms=NOW_MS)
    assert isinstance(token, Token)
    assert (token.door, token.is_known) == ("resume", True)
    with pytest.raises(ValueError, match="can be played"):
        documents.play_digits("CA1", {}, "x", now_ms=NOW_MS)


def test_a_parameter_that_is_too_long_is_shortened_and_told_without_its_value(
    documents: Documents, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        xml = documents.connect(
            "CA1", {"company": "A" * 600}, door="voice", is_known=False, now_ms=NOW_MS
        )
    assert set(parameters(xml)["company"]) == {"A"}
    assert len(parameters(xml)["company"]) < 500
    assert "parameter company is over" in caplog.text
    assert "AAA" not in caplog.text


def test_a_caller_is_told_and_a_human_rings_for_a_bounded_time(documents: Documents) -> None:
    xml = documents.transfer("+15550100")
    assert verbs(xml) == ["Say", "Dial", "Redirect"]
    say, dial, redirect = ET.fromstring(xml)  # noqa: S314 - our own document
    assert say.text == TRANSFER_LINE
    assert dial.attrib["action"] == redirect.text == f"{URL}/twiml/dialled"
    assert dial.attrib["timeout"] == "30"
    assert [number.text for number in dial] == ["+15550100"]
    with pytest.raises(ValueError, match="dialled"):
        documents.transfer("nobody at all")


def test_a_transfer_to_nobody_in_particular_is_to_the_number_of_the_settings() -> None:
    documents = Documents(URL, MINT, lambda: "n" * 16, "+15550199")
    assert "+15550199" in documents.transfer("")
    assert "+15550199" not in documents.transfer("+15550100")


def test_with_nobody_configured_a_transfer_is_a_voicemail_at_once(documents: Documents) -> None:
    xml = documents.transfer("")
    assert xml == documents.voicemail()
    assert verbs(xml) == ["Say", "Record", "Say", "Hangup"]
    say, record, farewell, _ = ET.fromstring(xml)  # noqa: S314 - our own document
    assert [say.text, farewell.text] == [VOICEMAIL_LINE, NO_MESSAGE]
    assert record.attrib["action"] == f"{URL}/twiml/voicemail"


def test_a_call_ends_with_thanks_for_a_message_or_without(documents: Documents) -> None:
    assert verbs(documents.hang_up()) == ["Hangup"]
    assert verbs(documents.thanks(has_message=True)) == ["Say", "Hangup"]
    assert THANKS in documents.thanks(has_message=True)
    assert THANKS not in documents.thanks(has_message=False)


def test_the_last_resort_is_an_apology_then_a_human_or_a_voicemail(documents: Documents) -> None:
    assert verbs(documents.last_resort()) == ["Say", "Record", "Say", "Hangup"]
    assert f"{APOLOGY} {VOICEMAIL_LINE}" in documents.last_resort()
    human = Documents(URL, MINT, lambda: "n" * 16, "+15550100").last_resort()
    assert verbs(human) == ["Say", "Dial", "Redirect"]
    assert f"{APOLOGY} {TRANSFER_LINE}" in human


def test_a_failed_webhook_says_a_word_and_comes_back(documents: Documents) -> None:
    assert verbs(documents.fallback()) == ["Say", "Redirect"]
    assert FALLBACK_APOLOGY in documents.fallback()


def test_a_failed_webhook_is_asked_again_where_that_does_no_harm(documents: Documents) -> None:
    for name in ("voice", "resume", "dialled", "voicemail"):
        assert f">{URL}/twiml/{name}#rc=5&amp;rp=all</Redirect>" in documents.fallback(name)
    for name in ("", "fallback", "media"):
        assert documents.fallback(name) == documents.fallback()
    assert documents.fallback() == documents.fallback("resume")


def test_a_server_that_goes_down_has_the_same_webhook_asked_again(documents: Documents) -> None:
    assert verbs(documents.wait("voice")) == ["Pause", "Redirect"]
    assert f">{URL}/twiml/voice#rc=5&amp;rp=all</Redirect>" in documents.wait("voice")
    assert f">{documents.moved_url}#rc=5&amp;rp=all</Redirect>" in documents.wait("resume")
    assert documents.moved_url == f"{URL}/twiml/resume?moved=1"
    assert f">{URL}/twiml/resume?play=r1#rc=5&amp;rp=all</Redirect>" in documents.wait(
        "resume", "r1"
    )


def test_a_server_that_is_alone_tells_the_caller_and_has_them_wait_until_it_is_back() -> None:
    documents = Documents(URL, MINT, lambda: "n" * 16, "", restart_pause_s=12)
    xml = documents.wait(is_alone=True)
    assert verbs(xml) == ["Say", "Pause", "Redirect"]
    assert RESTART_LINE in xml
    assert '<Pause length="12"' in xml


def test_the_way_back_may_name_the_digits_to_play(documents: Documents) -> None:
    assert documents.resume_url() == f"{URL}/twiml/resume"
    assert documents.resume_url("r1") == f"{URL}/twiml/resume?play=r1"


@pytest.mark.parametrize(
    ("url", "transfer_to", "name"),
    [(URL, "nobody at all", "TRANSFER_TO"), ("https://a b", "", "PUBLIC_URL")],
)
def test_settings_that_no_document_can_carry_are_refused_at_the_start(
    url: str, transfer_to: str, name: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: "):
        Documents(url, MINT, lambda: "n" * 16, transfer_to)


def test_with_a_gap_ear_each_document_begins_the_next_ear_and_stops_the_one_before_the_last() -> (
    None
):
    documents = Documents(URL, MINT, lambda: "n" * 16, "", gap_ear=True)
    first = documents.connect("CA1", {}, door="voice", is_known=False, now_ms=NOW_MS)
    assert verbs(first) == ["Start", "Connect", "Redirect"]
    assert 'name="ear-1"' in first
    later = documents.connect("CA1", {}, door="resume", is_known=True, now_ms=NOW_MS, epoch=1)
    assert verbs(later) == ["Start", "Connect", "Redirect"]
    keyed = documents.play_digits("CA1", {}, "1", now_ms=NOW_MS, epoch=2)
    assert verbs(keyed) == ["Start", "Stop", "Play", "Connect", "Redirect"]
    names = [
        stream.attrib.get("name", "")
        for xml in (first, later, keyed)
        for stream in ET.fromstring(xml).iter("Stream")  # noqa: S314 - our own document
    ]
    assert names == ["ear-1", "", "ear-2", "", "ear-3", "ear-1", ""]


def test_an_ears_token_is_its_own_and_of_its_own_door() -> None:
    nonces = iter(("main" * 4, "ears" * 4))
    documents = Documents(URL, MINT, lambda: next(nonces), "", gap_ear=True)
    xml = documents.connect("CA1", {}, door="voice", is_known=False, now_ms=NOW_MS)
    start = ET.fromstring(xml)[0]  # noqa: S314 - our own document
    sent = {one.attrib["name"]: one.attrib["value"] for one in start.iter("Parameter")}
    token = MINT.read(sent["token"], "CA1", now_ms=NOW_MS)
    assert isinstance(token, Token)
    assert (token.door, token.is_known, sent["ear"]) == ("ear", True, "ear-1")
    assert fits_rest_update(documents_of_length(40))


def documents_of_length(digits: int) -> str:
    documents = Documents(URL, MINT, lambda: "n" * 16, "", gap_ear=True)
    return documents.play_digits("CA1", {}, "1" * digits, now_ms=NOW_MS, epoch=100)


def way_back(xml: str) -> str:
    found = re.search(r">([^>]*)</Redirect>", xml)
    assert found
    return found[1].replace("&amp;", "&").partition("#")[0]


@pytest.mark.parametrize(
    ("failed", "back"),
    [
        (f"{URL}/twiml/voice", f"{URL}/twiml/voice?tries=1"),
        (f"{URL}/twiml/voice?callback=CA1", f"{URL}/twiml/voice?callback=CA1&tries=1"),
        (f"{URL}/twiml/voice?callback=%22x", f"{URL}/twiml/voice?tries=1"),
        (f"{URL}/twiml/resume?play=r1&tries=2#rc=5", f"{URL}/twiml/resume?play=r1&tries=3"),
        (f"{URL}/twiml/resume?tries=-1", f"{URL}/twiml/resume?tries=1"),
        ("", f"{URL}/twiml/resume?tries=1"),
    ],
)
def test_a_webhook_that_failed_is_asked_again_for_what_it_was_asked_for(
    documents: Documents, failed: str, back: str
) -> None:
    assert way_back(documents.fallback_for(failed)) == back


def test_a_webhook_that_fails_again_and_again_is_given_up(documents: Documents) -> None:
    url = f"{URL}/twiml/voice"
    for tries in range(1, FALLBACKS_MAX + 1):
        url = way_back(documents.fallback_for(url))
        assert url.endswith(f"tries={tries}")
    assert documents.fallback_for(url) == documents.last_resort()


def test_who_is_rung_back_goes_on_with_the_call_that_they_are_rung_for(
    documents: Documents,
) -> None:
    assert documents.callback_url("CA1") == f"{URL}/twiml/voice?callback=CA1"
    assert documents.callback_status_url("CA1") == f"{URL}/callbacks/call?callback=CA1"
    assert way_back(documents.wait("voice", "CA1")) == documents.callback_url("CA1")
    assert way_back(documents.fallback("voice", "CA1")) == documents.callback_url("CA1")
    assert verbs(documents.last_resort(calls_back=True)) == ["Say", "Hangup"]
    assert CALLBACK_LINE in documents.last_resort(calls_back=True)


def test_a_voicemail_may_be_the_last_resort_though_there_is_a_human() -> None:
    documents = Documents(URL, MINT, lambda: "n" * 16, "+15550100", has_last_human=False)
    assert verbs(documents.last_resort()) == ["Say", "Record", "Say", "Hangup"]
    assert "+15550100" in documents.transfer("")
