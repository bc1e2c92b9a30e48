"""S-5: pages of other origins, and people without the role, at every route of the API."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from starlette.requests import HTTPConnection
from starlette.routing import Route

from service.clock import Clock
from service.errors import Refused
from service.meter import Meter
from service.web.door.bearer import Bearers
from tests.web.front import CALL, PUBLIC_URL, Front, settings

HOST = "calls.example.com"
LISTED = (PUBLIC_URL, "http://127.0.0.1:8000", "http://localhost:8000")
UNLISTED = [
    "null", "", " ", "*", "https://", "https:", "file://", "about:blank", "data:", "undefined",
    f"http://{HOST}", f"https://{HOST}:443", f"https://{HOST}:8443", f"https://{HOST}:80", f"https://{HOST}:",
    f"https://{HOST}/", f"https://{HOST}/console", f"https://{HOST}?", f"https://{HOST}#", f"https://{HOST} ",
    f" https://{HOST}", f"https://{HOST}\t", f"https://{HOST},https://evil.example", f"https://evil.example https://{HOST}",
    f"https://{HOST} https://evil.example", f"https://{HOST}.", f"https://{HOST}.evil.example", f"https://evil.{HOST}",
    f"https://www.{HOST}", f"https://evil{HOST}", f"https://{HOST}evil", "https://example.com", "https://xexample.com",
    f"https://user@{HOST}", f"https://{HOST}@evil.example", f"https://{HOST}%2eevil.example", f"https://{HOST}\\evil",
    "https://Calls.example.com", "https://CALLS.EXAMPLE.COM", f"HTTPS://{HOST}", f"Https://{HOST}",
    "https://calls\uff0eexample.com", "https://c\u0430lls.example.com", "https://xn--clls-43d.example.com",
    "https://calls.ex\u00e4mple.com", f"wss://{HOST}", f"ws://{HOST}", f"ftp://{HOST}", f"//{HOST}", HOST,
    "http://127.0.0.1", "http://127.0.0.1:8001", "http://127.0.0.1:80", "https://127.0.0.1:8000", "http://127.0.0.2:8000",
    "http://localhost", "http://localhost:8001", "https://localhost:8000", "http://[::1]:8000", "http://0.0.0.0:8000",
    "http://2130706433:8000", "http://127.1:8000", "http://localhost.evil.example:8000",
    "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]  # fmt: skip


def connection(bearers: Bearers, kind: str, origin: str | None) -> HTTPConnection:
    """Return a request or an upgrade with a good badge, from a page of this origin."""
    token = settings().api_tokens[1]
    badge = bearers.mint.issue(token, nonce="n", now_ms=Clock().now_ms())
    headers = [(b"cookie", f"stayline={badge}".encode()), (b"x-stayline", b"1")]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return HTTPConnection({"type": kind, "method": "POST", "path": "/", "headers": headers})


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_of_sixty_origins_only_the_listed_may_act(kind: str) -> None:
    bearers = Bearers(settings().api_tokens, Meter(), Clock(), LISTED)
    assert len(UNLISTED) >= 60
    for origin in LISTED:
        assert bearers.admit(connection(bearers, kind, origin), "agent").tenant == "default"
    for stranger in (None, *UNLISTED):
        with pytest.raises(Refused) as refusal:
            bearers.admit(connection(bearers, kind, stranger), "viewer")
        assert refusal.value.status == 403, stranger


def routes(front: Front) -> Iterator[tuple[str, str]]:
    """Return method and path of every route of the API that asks for a role."""
    for route in front.app.routes:
        if isinstance(route, Route) and route.path.startswith("/api/"):
            path = route.path.replace("{call_sid}", CALL).replace("{operation}", "1")
            if route.path.startswith("/api/phone/"):
                continue  # its own door: open, or not, by the setting PHONE
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                if (method, path) != ("POST", "/api/session"):
                    yield method, path


@pytest.mark.asyncio
async def test_no_route_of_the_api_answers_without_the_right_role(front: Front) -> None:
    await front.token()
    walked = list(routes(front))
    assert len(walked) >= 12
    for method, path in walked:
        for headers in ({}, {"authorization": "Bearer no"}, {"cookie": "stayline=1.a.9.b.c"}):
            answer = await front.web.request(method, path, headers=headers)
            assert answer.status_code == HTTPStatus.UNAUTHORIZED, (method, path)
        seen = await front.api(method, path, bearer="see", json={})
        is_open = method == "GET" or path == "/api/session"
        is_export = path.endswith("/export")
        assert (seen.status_code == 403) == (not is_open or is_export), (method, path)
        if CALL in path:
            told = await front.api(method, path, bearer="other", json={})
            assert told.status_code == 404, (method, path)


@pytest.mark.asyncio
async def test_a_badge_changes_nothing_for_a_page_of_another_site(front: Front) -> None:
    await front.token()
    answer = await front.web.post("/api/session", json={"token": "all"})
    assert answer.status_code == 204
    bad: tuple[dict[str, str], ...] = (
        {}, {"origin": PUBLIC_URL}, {"x-stayline": "1"}, {"origin": PUBLIC_URL, "x-stayline": "0"},
        {"origin": "https://evil.example", "x-stayline": "1"},
    )  # fmt: skip
    for method, path in routes(front):
        if method != "GET":
            for headers in bad:
                refused = await front.web.request(method, path, headers=headers)
                assert refused.status_code == 403, (method, path, headers)
    note = await front.web.post(
        f"/api/calls/{CALL}/notes",
        json={"text": "seen"},
        headers={"origin": PUBLIC_URL, "x-stayline": "1"},
    )
    assert note.status_code == 202
