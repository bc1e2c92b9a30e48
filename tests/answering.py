"""A small real HTTP server on loopback, for tests of what goes out: it answers from a script."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    body: str
    authorization: str


@dataclass
class Answering:
    """The script, and what was asked. The last answer of the script is repeated."""

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def next(self) -> tuple[int, bytes]:
        """The answer to the request that was noted last."""
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@contextlib.contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[Answering]:
    """Serve on a free port until the test is done."""
    script = Answering(list(answers))

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            authorization = self.headers.get("authorization", "")
            script.asked.append(Asked(self.command, self.path, body, authorization))
            status, text = script.next()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked may have had enough
                self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server looks for

        @override
        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        script.url = f"http://127.0.0.1:{server.server_port}"
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
