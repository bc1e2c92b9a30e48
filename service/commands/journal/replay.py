"""`stayline journal replay`: recorded calls, decided again by the present code.

Exit code 0: nothing is otherwise, 1: a decision or the state at the end is, 2: a file can't be read.
"""

import argparse
import json
import sys
from pathlib import Path

from service import config as settings
from service.call.replay import recording as recorded_calls
from service.call.replay.recording import Recording
from service.call.replay.replay import replay
from service.call.replay.report import Report
from service.commands.command import DONE, FAILED, OTHERWISE, Command, add_json
from service.commands.journal.export import policy
from service.commands.progress import Progress
from service.errors import BadRecording

FILE_BYTES_MAX = 256 << 20  # a call of an hour is under 2 MiB; this much still fits in memory


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--settings", action="store_true", help="decide by this machine's settings, not the file's"
    )
    add_json(parser, "the finding on each file, one object a line,")


def _run(options: argparse.Namespace) -> int:
    rules = policy(settings.load()) if options.settings else None
    worst = DONE
    with Progress("replaying") as progress:
        for number, file in enumerate(options.files):
            progress.show(number, len(options.files))
            try:
                report = replay(_file(file), rules)
            except BadRecording as trouble:
                sys.stderr.write(f"stayline: {file}: {trouble}\n")
                worst = FAILED
                continue
            told = json.dumps({"file": str(file), **report.as_json()}) if options.json else None
            sys.stdout.write(f"{told or shown(str(file), report)}\n")
            worst = max(worst, DONE if report.is_same else OTHERWISE)
    return worst


def _file(path: Path) -> Recording:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise BadRecording(f"the file is longer than {FILE_BYTES_MAX >> 20} MiB")
    return recorded_calls.decode(path.read_bytes())


def shown(name: str, report: Report) -> str:
    """Return the finding for a person: a line, and three more where it parts first."""
    tally = report.tally
    rest = {
        "from outside": tally.outside,
        "of a newer version": tally.newer,
        "on a state that is not known here": tally.blind,
        "that fit only a supposed input": tally.supposed,
        "whose input is not known": sum(tally.unread.values()),
    }
    left = ", ".join(f"{count} {what}" for what, count in rest.items() if count)
    found = (
        f"{name}: {report.call_sid}: {_verdict(report)}. Of {report.records} records"
        f" {report.compared} are the same ({tally.followed} follow from the state, {tally.given}"
        f" from what was told), {tally.parted} are otherwise. Not compared: {left or 'none'}."
        f" Rules: {report.policy}."
    )
    lines = [found]
    for first in tally.divergences[:1]:
        lines += [
            f"  happened  {first.happened}",
            f"  recorded  {first.recorded}",
            f"  decided   {first.decided}",
        ]
    return "\n".join(lines)


def _verdict(report: Report) -> str:
    first = next(iter(report.tally.divergences), None)
    if first is not None:
        return f"it parts at record {first.position}"
    if report.is_state_same is False:
        return "the same decisions, but another state at the end"
    return "the same" if report.compared else "nothing could be compared"


COMMAND = Command(
    name="replay",
    summary="decide recorded calls again, by the present code",
    run=_run,
    add_to=_add_to,
)
