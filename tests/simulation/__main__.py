"""The simulation from the command line.

python -m tests.simulation run --seeds 2000 --first 0 --workers 2     exit code 1 on a broken rule
python -m tests.simulation replay SEED                                the same run, twice, and its story
python -m tests.simulation shrink SEED                                the fewest faults that still break it
"""

import argparse
import sys

from tests.simulation.crowd import run_all
from tests.simulation.plan import planned
from tests.simulation.shrink import shrunk
from tests.simulation.world import lived, run


def main(words: list[str]) -> int:
    """Do what the words say; return the exit code."""
    options = _options().parse_args(words)
    match options.command:
        case "run":
            return run_all(options.first, options.seeds, options.workers)
        case "replay":
            return _replay(options.seed)
        case _:
            return _shrink(options.seed)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    commands = parser.add_subparsers(dest="command", required=True)
    many = commands.add_parser("run", help="live through many seeds")
    many.add_argument("--seeds", type=int, default=2_000)
    many.add_argument("--first", type=int, default=0)
    many.add_argument("--workers", type=int, default=2)
    for name, what in (
        ("replay", "show one run, twice"),
        ("shrink", "leave out what is not needed"),
    ):
        commands.add_parser(name, help=what).add_argument("seed", type=int)
    return parser


def _replay(seed: int) -> int:
    first, again = run(seed), run(seed)
    print(first.story)  # noqa: T201 - a command line
    print(f"seed {seed}: {first.broken or 'no rule was broken'}")  # noqa: T201 - likewise
    print(f"{first.virtual_ms} ms, {first.sum}, again {again.sum}")  # noqa: T201 - likewise
    return int(bool(first.broken) or first.sum != again.sum)


def _shrink(seed: int) -> int:
    found = lived(planned(seed))
    if not found.broken:
        print(f"seed {seed} breaks no rule")  # noqa: T201 - likewise
        return 0
    plan = shrunk(planned(seed), found.rule)
    told = lived(plan)
    print(told.story)  # noqa: T201 - likewise
    print(f"{plan.servers} servers, {len(plan.calls)} calls, {plan.lasts_ms} ms; {told.broken}")  # noqa: T201 - likewise
    for fault in plan.faults:
        print(fault)  # noqa: T201 - likewise
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
