"""A far place on this machine: a network namespace behind a cable that can be cut.

Then nothing there answers any more, not even the kernel: what a dead network looks like.

Needs root and the `ip` tool; `is_possible()` tells.
"""

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

HERE, THERE = "10.77.91.1", "10.77.91.2"

_CLONE_NEWNET = 0x40000000


def is_possible() -> bool:
    """Say whether a namespace can be made here."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


class Elsewhere:
    """The namespace, for the length of an `async with`."""

    def __init__(self) -> None:
        self._name = f"fleet{os.getpid()}"
        self._near, self._far = f"fa{os.getpid()}", f"fb{os.getpid()}"

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._lay)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._ip, "netns", "del", self._name)
        await asyncio.to_thread(self._ip, "link", "del", self._near, may_fail=True)

    def _lay(self) -> None:
        inside = ("-n", self._name)
        self._ip("netns", "add", self._name)
        self._ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
        self._ip("link", "set", self._far, "netns", self._name)
        self._ip("addr", "add", f"{HERE}/30", "dev", self._near)
        self._ip("link", "set", self._near, "up")
        self._ip(*inside, "addr", "add", f"{THERE}/30", "dev", self._far)
        self._ip(*inside, "link", "set", self._far, "up")

    async def bare_socket(self) -> socket.socket:
        """Return a TCP socket that lives there."""
        return await asyncio.to_thread(self._socket)

    def _socket(self) -> socket.socket:
        # A socket stays in the namespace in which its thread made it; the thread goes back at once.
        libc = ctypes.CDLL(None, use_errno=True)
        with (
            Path("/proc/thread-self/ns/net").open() as home,
            Path(f"/run/netns/{self._name}").open() as away,
        ):
            _enter(libc, away.fileno())
            try:
                return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            finally:
                _enter(libc, home.fileno())

    async def cut(self) -> None:
        """Cut the cable: from now on no packet passes, in either direction."""
        await asyncio.to_thread(self._ip, "-n", self._name, "link", "set", self._far, "down")

    def _ip(self, *words: str, may_fail: bool = False) -> None:
        subprocess.run(["ip", *words], check=not may_fail, capture_output=True)  # noqa: S603, S607 - fixed words


def _enter(libc: ctypes.CDLL, namespace: int) -> None:
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
