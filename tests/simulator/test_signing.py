import pytest
from hypothesis import given, strategies as st
from twilio.request_validator import RequestValidator

from service.simulator.signing import signature, signed_url

TOKEN = "12345"
PUBLISHED = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
REPEATED = [
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
]
PAGE = "https://mycompany.com/myapp.php?foo=1&bar=2"


@pytest.mark.parametrize(
    ("url", "fields", "wanted"),
    [
        (PAGE, PUBLISHED, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (
            "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
            PUBLISHED,
            "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
        ),
        (PAGE, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        ("wss://example.com/media", [], "7PR3qMkpDyEJtMrVOY/LDyNq8J8="),
        ("wss://example.com/media-stream", [], "XFfwGS2Ev7f9qAP9MmRoMS7C724="),
    ],
)
def test_published_cases_hold(url: str, fields: list[tuple[str, str]], wanted: str) -> None:
    assert signature(TOKEN, url, fields) == wanted


@given(st.dictionaries(st.text(), st.text(), max_size=8))
def test_any_form_agrees_with_twilios_own_library(fields: dict[str, str]) -> None:
    wanted = RequestValidator(TOKEN).compute_signature(PAGE, fields)
    assert signature(TOKEN, PAGE, list(fields.items())) == wanted


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://u:p@host.example:8443/a?b=%20c#rc=3", "https://host.example/a?b=%20c"),
        ("http://u:p@host.example:8000/a", "http://host.example:8000/a"),
        ("https://[::1]:443/a", "https://[::1]/a"),
    ],
)
def test_voice_urls_lose_what_twilio_does_not_sign(url: str, signed: str) -> None:
    assert signed_url(url) == signed
