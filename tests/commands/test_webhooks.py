import pytest

from service.commands.webhooks import Webhooks

OURS = Webhooks("https://calls.example.com/line")


def test_the_line_names_all_three_addresses() -> None:
    assert OURS.update_line("+15551234567") == (
        "twilio phone-numbers:update +15551234567"
        " --voice-url https://calls.example.com/line/twiml/voice"
        " --voice-fallback-url https://calls.example.com/line/twiml/fallback"
        " --status-callback https://calls.example.com/line/callbacks/call"
    )
    assert OURS.media == "wss://calls.example.com/line/media"


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("https://calls.example.com/line/old", True),
        ("http://CALLS.example.com/line", True),
        ("https://calls.example.com/other", False),
        ("https://calls.example.com.evil.net/line", False),
        ("", False),
    ],
)
def test_an_address_at_this_server_is_known(url: str, *, is_here: bool) -> None:
    assert OURS.are_here(url) is is_here
