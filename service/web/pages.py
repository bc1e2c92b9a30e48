"""The pages and their files: read once at start, sent with what keeps other sites out of them.

All addresses in them are relative: those of a page to where it is, those of a file to where it came from. So
they fit wherever they are mounted, also behind a proxy that cuts the path off and tells nobody.

Every file is known before the first request, so no path of a request ever reaches the file system. In
development a file is read anew at each request, and a change shows at the next reload.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.web.door.origins import sockets_of

FOLDER = (Path(__file__).parent / "static").resolve()
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
DEEPER = "../../"  # from the page of a call to where the console's own page is
PACKED_BYTES_MIN = 1_400  # what fits into one packet gains nothing


def safeguards(origins: Sequence[str]) -> dict[str, str]:
    """Return the headers of every page: what it may load, and who may use it."""
    connect = " ".join(["'self'", *origins, *sockets_of(origins)])
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": connect,
        "media-src": "'self' blob:",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {of}" for name, of in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",  # asked for again each time, mostly answered with 304
        "Vary": "Accept-Encoding",
    }


@dataclass(frozen=True)
class _File:
    """One file as it is sent. `packed` is empty where packing gains nothing."""

    kind: str
    text: bytes
    packed: bytes
    tag: str


class Pages:
    """The console, the phone, and the files they are made of."""

    def __init__(self, origins: Sequence[str], *, is_development: bool) -> None:
        self._headers = safeguards(origins)
        self._reads_anew = is_development
        self._files = _all_files()

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return [
            Route("/", self.front, methods=["GET"]),
            Route("/console", self.console, methods=["GET"]),
            Route("/console/calls/{call_sid}", self.call, methods=["GET"]),
            Route("/phone", self.phone, methods=["GET"]),
            Route("/static/{path:path}", self.static, methods=["GET"]),
        ]

    async def front(self, _request: Request) -> Response:
        """Whoever comes without a path wants the console."""
        return RedirectResponse("console", headers=self._headers)

    async def console(self, request: Request) -> Response:
        """The console, at its list."""
        return await self._sent(request, "console.html")

    async def call(self, request: Request) -> Response:
        """The console, at a call: the same page, two floors further from its files."""
        return await self._sent(request, "console.html", up=DEEPER)

    async def phone(self, request: Request) -> Response:
        """The phone in the browser."""
        return await self._sent(request, "phone.html")

    async def static(self, request: Request) -> Response:
        """One file of the pages."""
        return await self._sent(request, request.path_params["path"])

    async def _sent(self, request: Request, name: str, up: str = "") -> Response:
        file = self._files.get((name, up))
        if self._reads_anew:
            file = await asyncio.to_thread(_found, name, up)
        if file is None:
            raise HTTPException(404, "There is no such file.")
        is_packed = file.packed and "gzip" in request.headers.get("accept-encoding", "")
        headers = {**self._headers, "ETag": f'W/"{file.tag}"', "Content-Type": file.kind}
        if file.kind == KINDS[".js"]:
            # Modules are public, and pages elsewhere may embed the phone; what they may do there is
            # decided at its API (PHONE_ORIGINS).
            headers["Access-Control-Allow-Origin"] = "*"
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        return Response(file.packed if is_packed else file.text, headers=headers)


@cache
def _all_files() -> dict[tuple[str, str], _File]:
    """Return every file by its name, and by the way up from its page. Packed once in a process."""
    paths = [path for path in sorted(FOLDER.rglob("*")) if path.is_file() and path.suffix in KINDS]
    files = {(path.relative_to(FOLDER).as_posix(), ""): _read(path) for path in paths}
    files["console.html", DEEPER] = _read(FOLDER / "console.html", DEEPER)
    return files


def _found(name: str, up: str) -> _File | None:
    """Return a file as it is now, where it is one of the folder's and this is its only name."""
    if "\0" in name:
        return None
    path = (FOLDER / name).resolve()
    is_named_so = path.is_relative_to(FOLDER) and path.relative_to(FOLDER).as_posix() == name
    return _read(path, up) if is_named_so and path.suffix in KINDS and path.is_file() else None


def _read(path: Path, up: str = "") -> _File:
    text = path.read_bytes()
    if up:
        text = text.replace(b'="static/', f'="{up}static/'.encode())
    packed = gzip.compress(text, mtime=0) if len(text) >= PACKED_BYTES_MIN else b""
    tag = hashlib.sha256(text).hexdigest()[:32]
    return _File(KINDS[path.suffix], text, packed if len(packed) < len(text) else b"", tag)
