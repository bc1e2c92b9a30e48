from service.web.door.embedding import Origins
from tests.web.front import settings


def test_only_our_own_pages_and_those_of_the_settings_may_call() -> None:
    made = Origins.of(settings(phone_origins=("https://shop.example.com:443",)))
    assert made.may_call("https://calls.example.com")
    assert made.may_call("https://shop.example.com")
    assert "https://shop.example.com" not in made.own
    for other in ("", "null", "http://calls.example.com", "https://calls.example.com.evil.com"):
        assert not made.may_call(other)
    assert not made.may_call("http://localhost:8000")


def test_a_page_of_ours_comes_back_by_the_name_that_it_came_by() -> None:
    public = "http://127.0.0.1:8000"
    made = Origins.of(settings(is_development=True, public_url=public))
    assert made.stream_url(public, "/p", came_by="http://localhost:8000") == "ws://localhost:8000/p"
    mounted = made.stream_url(public, "/p", came_by="http://localhost:8000", root="/calls")
    assert mounted == "ws://localhost:8000/calls/p"
    for other in ("http://evil.com", "", public):
        assert made.stream_url(public, "/p", came_by=other) == "ws://127.0.0.1:8000/p"
