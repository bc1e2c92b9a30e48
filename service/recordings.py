"""The `stayline journal` command: a call's records as a file, and such files decided again.

    stayline journal export CALL_SID [--store URL] [-o FILE]    its records as JSON lines
    stayline journal replay FILE … [--settings] [--json]        the same inputs, decided by the present code
    stayline journal erase … | rewrap                           see keeping.py

Exit codes: 0 nothing is otherwise, 1 a decision or the state at the end is, 2 it could not be done.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from service import config as settings, keeping
from service.call.policy import Policy
from service.call.replay import recording as recorded_calls
from service.call.replay.recording import Recording, recorded
from service.call.replay.replay import replay
from service.call.replay.report import Report
from service.config import Config
from service.errors import BadRecording, ConfigError, StaylineError, StoreUnavailable
from service.journal.values import Missing, Reading
from service.parts import policy as ruling, sealed_store
from service.tools.toolbox import Toolbox

SAME, OTHERWISE, FAILED = 0, 1, 2
STORE_WAIT_S = 10  # a person waits; a store that answers at all does so in a fraction of it
FILE_BYTES_MAX = 256 << 20  # a call of an hour is under 2 MiB; this much still fits in memory

_SQLITE = "sqlite:///"


def run(words: Sequence[str]) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(words)
    try:
        match options.command:
            case "export":
                return _export(options)
            case "erase":
                return keeping.erase(_config(options), options)
            case "rewrap":
                return keeping.rewrapped(_config(options))
            case _:
                return _replay(options)
    except StaylineError as trouble:
        sys.stderr.write(f"stayline: {trouble}\n")
    except OSError as trouble:
        sys.stderr.write(f"stayline: {trouble.filename or 'a file'}: {trouble.strerror}\n")
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stayline journal", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write a call's records as JSON lines")
    export.add_argument("call_sid", metavar="CALL_SID")
    export.add_argument("--store", default="", metavar="URL", help="default STORE_URL")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="default standard output")
    again = commands.add_parser("replay", help="decide recorded calls by the present code")
    again.add_argument("files", nargs="+", type=Path, metavar="FILE")
    again.add_argument(
        "--settings", action="store_true", help="decide by this machine's settings, not the file's"
    )
    again.add_argument("--json", action="store_true", help="one JSON object a file")
    keeping.add_to(commands)
    return parser


def _export(options: argparse.Namespace) -> int:
    config = _config(options)
    reading = asyncio.run(_read(config, options.call_sid))
    _write(recorded_calls.encode(_recording(options.call_sid, reading, _policy(config))), options)
    return SAME


def _config(options: argparse.Namespace) -> Config:
    config = settings.load(**({"store_url": options.store} if options.store else {}))
    _must_be_there(config.store_url)
    return config


def _must_be_there(url: str) -> None:
    """A store that is not there would be made; a wrong name is told instead. Raises ConfigError."""
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists():
        raise ConfigError("STORE_URL: there is no such file")


async def _read(config: Config, call_sid: str) -> Reading:
    """Return all records of a call. Raises StaylineError."""
    journal = sealed_store(config)
    try:
        async with asyncio.timeout(STORE_WAIT_S):
            await journal.start()
            reading = await journal.read(call_sid)
    except TimeoutError:
        raise StoreUnavailable(f"the store gave no answer in {STORE_WAIT_S} s") from None
    finally:
        await journal.close()
    if isinstance(reading, Missing):
        raise BadRecording("the store has no such call")
    return reading


def _recording(call_sid: str, reading: Reading, policy: Policy) -> Recording:
    """Make the file. It names the settings' rules only where the call fits them.

    The settings of the machine that exports may not be those of the server that had the call.
    """
    records = [(one.epoch, one.at_ms, one.body) for one in reading.records]
    whole = recorded(records, call_sid=call_sid, incarnation=reading.incarnation, policy=policy)
    if replay(whole).is_same:
        return whole
    return recorded(records, call_sid=call_sid, incarnation=reading.incarnation)


def _policy(config: Config) -> Policy:
    return ruling(config, Toolbox.load(config.tools))


def _write(text: bytes, options: argparse.Namespace) -> None:
    """Write the words of a caller where nobody else can read them."""
    if options.output is None:
        sys.stdout.buffer.write(text)
        return
    draft = options.output.with_name(f"{options.output.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_bytes(text)
        draft.replace(options.output)
    finally:
        draft.unlink(missing_ok=True)


def _replay(options: argparse.Namespace) -> int:
    policy = _policy(settings.load()) if options.settings else None
    worst = SAME
    for file in options.files:
        try:
            report = replay(_file(file), policy)
        except BadRecording as trouble:
            sys.stderr.write(f"stayline: {file}: {trouble}\n")
            worst = FAILED
            continue
        told = json.dumps({"file": str(file), **report.as_json()}) if options.json else None
        sys.stdout.write(f"{told or shown(str(file), report)}\n")
        worst = max(worst, SAME if report.is_same else OTHERWISE)
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
