"""Watchers of calls, through the network: what each was told is exactly what the journal holds (R-16, R-18).

python -m tests.watchers [--watchers 50] [--reconnects 1000] [--records 100000] [--seconds 100] [--seed 1]

A real server, SQLite, a second process that writes the records, and a caller who is spoken to meanwhile.
Prints a table, then one line of JSON; exits 1 when a rule was broken.
"""

import argparse
import sys

import msgspec
import uvloop

from tests.watchers.run import Options, run


def main() -> int:
    """Run what the command line asks for. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.watchers", description=__doc__)
    for name, default in msgspec.to_builtins(Options()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
    return uvloop.run(run(Options(**vars(parser.parse_args())))).conclude()


if __name__ == "__main__":
    sys.exit(main())
