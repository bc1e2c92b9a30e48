import json
import signal
import subprocess
import sys

import httpx2

from tests.conftest import free_port


def test_the_desk_says_where_it_is_and_ends_when_told() -> None:
    port = free_port()
    words = [sys.executable, "-m", "service", "desk", "--port", str(port), "--json"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as desk:  # noqa: S603 - our own words
        assert desk.stderr is not None
        url = json.loads(desk.stderr.readline())["url"]
        assert url == f"http://127.0.0.1:{port}"
        transport = httpx2.HTTPTransport(retries=8)  # it says so a moment before it listens
        with httpx2.Client(transport=transport, trust_env=False) as client:
            assert client.get(f"{url}/log").status_code == 200
        desk.send_signal(signal.SIGINT)
        assert desk.wait(10) == 0
