"""The runs of a fleet: real servers, a balancer and up to 500 callers on this machine.

python -m tests.fleet rolling|restart|kill|freeze|outage|dead_peers|strangers|herd|load [--calls N] [--rounds N] …

Prints a table, then one line of JSON; exits 1 when a rule was broken.
"""

import argparse
import resource
import sys
from importlib import import_module

import uvloop

from tests.fleet.options import Options

RUNS = ("rolling", "restart", "kill", "freeze", "outage", "dead_peers", "strangers", "herd", "load")


def main() -> int:
    """Run what the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    parser.add_argument("run", choices=RUNS)
    plain = Options()
    for name in ("calls", "rounds", "seconds", "seed", "servers", "media_ms", "strangers"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(plain, name))
    parser.add_argument("--store", choices=("redis", "sqlite"), default=plain.store)
    parser.add_argument("--folder", default="", help="keep the servers' logs here")
    asked = vars(parser.parse_args())
    run = asked.pop("run")
    # A call has two descriptors in the balancer, one here, one in its server.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    module = import_module(f"tests.fleet.{run}")
    report = uvloop.run(module.run(Options(**asked)))
    return int(report.conclude())


if __name__ == "__main__":
    sys.exit(main())
