"""What the documents tell is there, and what is there is told."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route, WebSocketRoute

from service.app import create_app
from tests.documents import MADE, ROOT, place
from tests.web.front import settings

TAIL = "…/"  # how the document shortens what all routes of one call begin with


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "part"), MADE)
def test_what_is_made_from_the_code_is_as_the_code_is_now(name: str, part: str) -> None:
    stands = place(part).search(document(name))
    assert stands is not None
    assert stands.group() == MADE[name, part](), "python -m tests.documents writes it anew"


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """The paths of the application, as the documents write them."""
    monkeypatch.chdir(tmp_path)
    elsewhere = settings(carrier="exotel", carrier_unsigned=True)
    ours = [*create_app(settings()).routes, *create_app(elsewhere).routes]
    paths = {one.path for one in ours if isinstance(one, Route | WebSocketRoute)}
    return {bare(path.replace("{path:path}", "")) for path in paths}


def bare(path: str) -> str:
    """A path without the names of what varies in it."""
    return re.sub(r"{[^}]*}", "{}", path)


def spoken(text: str) -> Iterator[str]:
    """Every path in a document: in code, after its method, up to its query or its body."""
    for code in re.findall(r"`([^`\n]+)`", text):
        for path in re.findall(r"(?:^|\s)((?:…|/(?!/))[^\s\[?,]*)", code):
            yield bare(path)


def test_every_route_stands_in_the_documents(routes: set[str]) -> None:
    told = set(spoken(document("docs/api.md")))
    tails = {path.removeprefix(TAIL) for path in told if path.startswith(TAIL)}
    missing = {
        path for path in routes - told if not any(path.endswith(f"/{tail}") for tail in tails)
    }
    assert not missing


def test_every_path_in_the_documents_is_a_route(routes: set[str]) -> None:
    told = set(spoken(document("docs/api.md")))
    strange = {
        path
        for path in told - routes
        if not any(path.startswith(TAIL) and one.endswith(path[1:]) for one in routes)
    }
    assert not strange


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("`GET /api/calls/{call_sid}?at=57`", ["/api/calls/{}"]),
        ('`POST …/say {"text"}`, `POST …/notes`', ["…/say", "…/notes"]),
        ("`WS /media` and https://x.example/y or `https://x.example/y`", ["/media"]),
        ("`/readyz`", ["/readyz"]),
    ],
)
def test_paths_are_read_out_of_a_document(text: str, paths: list[str]) -> None:
    assert list(spoken(text)) == paths
