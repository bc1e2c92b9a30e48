"""A program that keeps workers, for tests that send signals: `python -m tests.standins.crowd COUNT WAY`.

It prints its port. Each worker answers every connection with the number of its process. WAY is how
they are: "good", "deaf" to signals, "weak" (they die at once) or "wrong" (a setting is).
"""

import logging
import os
import signal
import socket
import sys

from service.serving import listening
from service.workers import workers
from service.workers.workers import HOPELESS, Workers


def work(doors: list[socket.socket], way: str) -> int:
    """Answer until told to stop."""
    if way == "wrong":
        return HOPELESS
    if way == "weak":
        return 7
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, signal.SIG_IGN if way == "deaf" else _end)
    (door,) = doors
    while True:
        there, _ = door.accept()
        with there:
            there.sendall(str(os.getpid()).encode())


def _end(_sig: int, _frame: object) -> None:
    sys.exit(0)


def main() -> int:
    """Keep the workers."""
    logging.basicConfig(level="INFO", format="%(message)s")
    count, way = int(sys.argv[1]), sys.argv[2]
    workers.PAUSE_MS_FIRST, workers.EXIT_MS_MAX = 50, 700
    doors = listening("127.0.0.1", 0)
    sys.stdout.write(f"{doors[0].getsockname()[1]}\n")
    sys.stdout.flush()
    return Workers(count, work, doors, way).run()


if __name__ == "__main__":
    sys.exit(main())
