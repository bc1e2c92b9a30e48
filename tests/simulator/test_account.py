import pytest

from service.simulator.account import Number, new_sid, resolved, socket_url

PUBLIC = Number(server_url="http://127.0.0.1:9", public_url="https://calls.example.com/line")
SAME = Number(server_url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("number", "url", "dialled"),
    [
        (PUBLIC, "https://calls.example.com/line/twiml/voice", "http://127.0.0.1:9/twiml/voice"),
        (PUBLIC, "wss://calls.example.com/line/media", "ws://127.0.0.1:9/media"),
        (PUBLIC, "https://elsewhere.example.com/a", "https://elsewhere.example.com/a"),
        (SAME, "http://127.0.0.1:9/a?b=1#rc=2", "http://127.0.0.1:9/a?b=1"),
        (SAME, "ws://127.0.0.1:9/media", "ws://127.0.0.1:9/media"),
    ],
)
def test_a_public_url_is_dialled_at_the_server(number: Number, url: str, dialled: str) -> None:
    assert number.dialled(url) == dialled


def test_paths_become_public_urls() -> None:
    assert PUBLIC.url("/twiml/voice") == "https://calls.example.com/line/twiml/voice"
    assert PUBLIC.url("") == ""


def test_relative_urls_belong_to_their_document() -> None:
    document = "https://h.example/twiml/voice"
    assert resolved("resume", document) == "https://h.example/twiml/resume"
    assert resolved(" ", document) == document
    assert socket_url("/media", document) == "wss://h.example/media"
    assert socket_url("wss://o.example/media", document) == "wss://o.example/media"


def test_sids_look_like_twilios() -> None:
    sid = new_sid("MZ")
    assert sid.startswith("MZ")
    assert len(sid) == 34
    assert sid != new_sid("MZ")
