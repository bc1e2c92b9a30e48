"""S-5: a page of another origin, in a real browser in which somebody is signed in here.

The other origin is another port of the same machine: to a browser that is the same site, so that even a
SameSite=Strict cookie is sent along. What keeps the page out is its Origin.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page
from starlette.routing import WebSocketRoute
from typing_extensions import override

from service.app import create_app
from service.testing.house import House
from tests.browser.place import Settings

OPENED = """address => new Promise(told => {
  const socket = new WebSocket(address);
  socket.onopen = () => told("opened");
  socket.onerror = () => told("refused");
})"""
ACTED = """async address => {
  const asked = { method: "POST", credentials: "include" };
  const plain = await fetch(address, { ...asked, mode: "no-cors", body: "{}" }).then(a => a.type, () => "refused");
  const marked = await fetch(address, { ...asked, headers: { "X-Stayline": "1" } }).then(a => a.status, () => "refused");
  const read = await fetch(address, { credentials: "include" }).then(a => a.status, () => "refused");
  return [plain, marked, read];
}"""


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    @override
    def log_message(self, *_said: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_a_page_of_another_origin_opens_no_socket_and_changes_nothing(
    page: Page, house: House, sign_in: Callable[..., None], elsewhere: str
) -> None:
    sign_in(page)
    page.goto(elsewhere)
    chosen: dict[str, Any] = {
        "store_url": "sqlite://:memory:",
        "twilio_auth_token": ("12345",),
        "public_url": house.url,
    }
    app = create_app(Settings(**chosen))
    sockets = [route.path for route in app.routes if isinstance(route, WebSocketRoute)]
    assert "/media" in sockets
    for path in sockets:
        address = house.url.replace("http:", "ws:") + path
        assert page.evaluate(OPENED, address) == "refused", path
    answers = page.evaluate(ACTED, house.url + "/api/calls/CA1/hangup")
    assert answers == ["opaque", "refused", "refused"]
    refused = house.server.parts.meter.text().decode()
    assert 'stayline_refused_total{door="api"}' in refused
