"""Change the modules that hold the doors in a copy of the tree, one small change at a time, and count what their tests notice.

python -m tests.mutants [MODULE …]

Prints a table, and every mutant that survived; exits 1 when fewer than 95 % of a module's are killed, 2 when
its suites fail without any change. Equivalent mutants are named in equivalents.py, and count as neither.
"""

import argparse
import os
import sys
from pathlib import Path

from tests.mutants.equivalents import EQUIVALENTS
from tests.mutants.grounds import GROUNDS, Ground
from tests.mutants.mutation import Mutant, mutants, written
from tests.mutants.trial import LIMIT_S, TIMES, Broken, imports, sound_seconds, try_text
from tests.planted.trial import sound_copy

ROOT = Path(__file__).parent.parent.parent
NICE = 19  # whoever measures real time on this machine comes first
GOAL_PERCENT = 95


def chosen(names: list[str]) -> list[Ground]:
    """Return the modules that the command line names, all when it names none."""
    by_name = {ground.name: ground for ground in GROUNDS}
    unknown = sorted(set(names) - set(by_name))
    if unknown:
        sys.exit(f"There is no module {unknown[0]!r}. There are: {', '.join(by_name)}.")
    return [by_name[name] for name in names] or list(GROUNDS)


def survivors(ground: Ground, copy: Path, tried: list[Mutant]) -> list[Mutant]:
    """Try the mutants one by one, and return those that nobody noticed. Raises Broken."""
    source = (copy / ground.file).read_text(encoding="utf-8")
    taken_s = sound_seconds(copy, ground.file, written(source), ground.suites)
    found = []
    for mutant in tried:
        limit_s = LIMIT_S + TIMES * taken_s
        if not try_text(copy, ground.file, mutant.text, ground.suites, limit_s).is_killed:
            found.append(mutant)
            say(f"    {ground.file}:{mutant.line}  {mutant.name}")
    return found


def is_good_enough(ground: Ground, copy: Path) -> bool:
    """Print a module's row, and say whether enough of its mutants are killed. Raises Broken."""
    imports(copy, ground.suites)
    every = list(mutants((copy / ground.file).read_text(encoding="utf-8")))
    alike = EQUIVALENTS.get(ground.name, {})
    gone = sorted(set(alike) - {mutant.name for mutant in every})
    for name in gone:
        say(f"    {ground.file}: no mutant has this name any more: {name}")
    tried = [mutant for mutant in every if mutant.name not in alike]
    killed = len(tried) - len(survivors(ground, copy, tried))
    percent = 100 * killed / len(tried)
    say(
        f"{ground.name:<12} {len(tried):>7} {killed:>7} {len(tried) - killed:>9} {percent:>7.1f} %"
        f" {len(every) - len(tried):>11}"
    )
    return percent >= GOAL_PERCENT and not gone


def say(line: str) -> None:
    """Print a line at once: a run takes a while."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Return 0 when enough mutants of every module are killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MODULE")
    asked = parser.parse_args()
    os.nice(NICE)
    say("module       mutants  killed  survived   killed  equivalent")
    with sound_copy(ROOT) as copy:
        try:
            is_good = [is_good_enough(ground, copy) for ground in chosen(asked.names)]
        except Broken as trouble:
            say(str(trouble))
            return 2
    return 0 if all(is_good) else 1


if __name__ == "__main__":
    sys.exit(main())
