import pytest

from service.web.door.origins import origin_of, own_origins, root_of, sockets_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://calls.example.com", "https://calls.example.com"),
        ("https://Calls.Example.COM/stay", "https://calls.example.com"),
        ("https://calls.example.com:443", "https://calls.example.com"),
        ("http://calls.example.com:80/x", "http://calls.example.com"),
        ("http://calls.example.com:443", "http://calls.example.com:443"),
        ("https://anrufe.müller.example", "https://anrufe.xn--mller-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["", "calls.example.com", "ftp://calls.example.com", "https://"])
def test_what_has_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        origin_of(url)


def test_this_machine_is_ours_in_development_only() -> None:
    public = "https://calls.example.com"
    assert own_origins(public, 8000, is_development=False) == (public,)
    assert own_origins("http://127.0.0.1:9000", 9000, is_development=True) == (
        "http://127.0.0.1:9000",
        "http://localhost:9000",
    )
    assert own_origins("", 8000, is_development=False) == ()


@pytest.mark.parametrize(
    ("root_path", "root"),
    [
        ("", ""),
        ("/", ""),
        ("/calls", "/calls"),
        ("/calls/", "/calls"),
        ("/our calls/é", "/our%20calls/%C3%A9"),
        ("/it's(ours)", "/it's(ours)"),
        ("/a;Domain=evil.com\r\nX", "/a%3BDomain=evil.com%0D%0AX"),
    ],
)
def test_where_we_are_mounted_is_written_as_browsers_write_it(root_path: str, root: str) -> None:
    assert root_of({"root_path": root_path}) == root
    assert root_of({}) == ""


def test_sockets_have_schemes_of_their_own() -> None:
    assert sockets_of(["https://a.example", "http://b.example:1"]) == (
        "wss://a.example",
        "ws://b.example:1",
    )
