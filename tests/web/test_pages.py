import hashlib
import re
from typing import Any
from urllib.parse import urljoin

import pytest

from service.web.pages import FOLDER, KINDS, Pages
from tests.web.front import Front

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' https://calls.example.com wss://calls.example.com; media-src 'self' blob:; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "path", ["/console", "/console/calls/CA1", "/phone", "/static/look.css", "/static/none.js"]
)
async def test_every_page_and_file_keeps_other_sites_out(front: Front, path: str) -> None:
    answer = await front.web.get(path)
    if path == "/static/none.js":
        assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
        return
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["permissions-policy"].startswith("microphone=(self)")
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.asyncio
async def test_who_comes_without_a_path_is_led_to_the_console(front: Front) -> None:
    answer = await front.web.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "console")


@pytest.mark.asyncio
async def test_a_file_that_has_not_changed_is_not_sent_again(front: Front) -> None:
    first = await front.web.get("/static/look.css")
    assert first.headers["content-type"] == "text/css; charset=utf-8"
    assert first.headers["content-encoding"] == "gzip"
    again = await front.web.get(
        "/static/look.css", headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = await front.web.get("/static/look.css", headers={"if-none-match": 'W/"0"'})
    assert other.content == (FOLDER / "look.css").read_bytes()


@pytest.mark.asyncio
async def test_who_takes_nothing_packed_gets_nothing_packed(front: Front) -> None:
    plain = await front.web.get("/static/look.css", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == (FOLDER / "look.css").read_bytes()


@pytest.mark.asyncio
@pytest.mark.parametrize("changes", [{"is_development": True}, {"is_development": False}])
@pytest.mark.parametrize(
    "path",
    [
        "../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "..%5cpages.py", "console/../../pages.py", "%2fetc/passwd",
        "look.css%00.js", "vendor", "vendor/README.md", "", ".", "look.css/", "//look.css", "%00",
    ],
)  # fmt: skip
async def test_no_path_leads_out_of_the_folder(
    front: Front, path: str, changes: dict[str, Any]
) -> None:
    assert changes == {"is_development": front.parts.config.is_development}
    answer = await front.web.get(f"/static/{path}")
    assert answer.status_code == 404, answer.text


@pytest.mark.asyncio
@pytest.mark.parametrize("changes", [{"is_development": True}])
async def test_in_development_a_file_is_read_anew(front: Front, changes: dict[str, Any]) -> None:
    assert changes["is_development"]
    answer = await front.web.get("/static/vendor/uplot.css")
    assert answer.content == (FOLDER / "vendor" / "uplot.css").read_bytes()
    assert "http://localhost:8000 " in answer.headers["content-security-policy"]


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    for path in FOLDER.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path
        for name in re.findall(r'(?:src|href)="static/([^"]+)"', text):
            assert (FOLDER / name).suffix in KINDS, name


def test_no_address_in_a_page_begins_at_the_root_of_the_host() -> None:
    """Mounted in another application, what is there is somebody else's."""
    rooted = {
        ".html": r'="/',
        ".css": r"url\([\"']?/",
        ".js": r"(?:href|src)=\"/|(?:from|import|go|URL|fetch|Socket)[ (]+[\"'`]/(?!/)|[\"'`]/(?:console|phone|static)\b",
    }
    for path in FOLDER.rglob("*"):
        if path.suffix in rooted and path.parent.name != "vendor":
            found = re.search(rooted[path.suffix], path.read_text(encoding="utf-8"))
            assert found is None, f"{path}: {found}"


@pytest.mark.asyncio
@pytest.mark.parametrize("changes", [{"is_development": True}, {"is_development": False}])
@pytest.mark.parametrize("path", ["/console", "/console/calls/CA1", "/phone"])
async def test_a_page_finds_its_files_from_wherever_it_is(
    front: Front, path: str, changes: dict[str, Any]
) -> None:
    assert changes == {"is_development": front.parts.config.is_development}
    page = await front.web.get(path)
    names = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(names) > 5
    for name in names:
        file = await front.web.get(urljoin(str(page.url), name))
        assert (file.status_code, file.url.path[:8]) == (200, "/static/")


def test_no_script_of_ours_evaluates_text() -> None:
    for path in FOLDER.rglob("*.js"):
        if path.parent.name != "vendor":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"innerHTML|outerHTML|insertAdjacent|\beval\(|new Function", text)


def test_what_others_wrote_is_what_they_published() -> None:
    written = (FOLDER / "vendor" / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"\| `([\w.-]+)` \|.*\| `([0-9a-f]{64})` \|", written))
    kept = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (FOLDER / "vendor").iterdir()
        if path.suffix in (".js", ".css")
    }
    assert told == kept
    for library in ("preact", "htm", "uplot"):
        assert (FOLDER / "vendor" / f"{library}.LICENSE").stat().st_size > 1_000


def test_pages_without_origins_reach_their_own_server_alone() -> None:
    headers = Pages((), is_development=False)._headers
    assert "connect-src 'self';" in headers["Content-Security-Policy"]


@pytest.mark.asyncio
async def test_only_modules_can_be_read_by_pages_elsewhere(front: Front) -> None:
    module = await front.web.get("/static/stayline.js", headers={"origin": "https://else.example"})
    assert module.headers["access-control-allow-origin"] == "*"
    for path in ("/phone", "/console", "/static/look.css"):
        assert "access-control-allow-origin" not in (await front.web.get(path)).headers


def test_the_phone_fetches_all_its_modules_at_once() -> None:
    page = (FOLDER / "phone.html").read_text(encoding="utf-8")
    preloaded = re.findall(r'rel="modulepreload" href="static/([^"]+)"', page)
    needed: set[str] = set()
    waiting = {"phone/main.js"}
    while waiting:
        name = waiting.pop()
        needed.add(name)
        text = (FOLDER / name).read_text(encoding="utf-8")
        found = re.findall(r'(?:from|import) "(\.[^"]+)"', text)
        paths = {(FOLDER / name).parent.joinpath(path).resolve() for path in found}
        waiting |= {path.relative_to(FOLDER.resolve()).as_posix() for path in paths} - needed
    assert set(preloaded) == needed - {"phone/main.js"}
