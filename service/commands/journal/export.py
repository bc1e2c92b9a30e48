"""`stayline journal export`: a call's records as a file that `stayline journal replay` reads."""

import argparse
import json
import os
import sys
from pathlib import Path

from service.call.policy import Policy
from service.call.replay import recording as recorded_calls
from service.call.replay.recording import Recording, recorded
from service.call.replay.replay import replay
from service.commands.command import DONE, Command, add_json
from service.commands.journal import store
from service.config import Config
from service.errors import BadRecording
from service.journal.seal.journal import SealedJournal
from service.journal.values import Missing, Reading
from service.parts import policy as ruling
from service.tools.toolbox import Toolbox


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call_sid", metavar="CALL_SID")
    store.add_to(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default standard output")
    add_json(parser, "what was written into FILE (the records themselves are JSON anyway)")


def _run(options: argparse.Namespace) -> int:
    config = store.configured(options)

    async def work(journal: SealedJournal) -> Reading | Missing:
        return await journal.read(options.call_sid)

    reading = store.in_store(config, work)
    if isinstance(reading, Missing):
        raise BadRecording("the store has no such call")
    recording = _recording(options.call_sid, reading, policy(config))
    _write(recorded_calls.encode(recording), options.output)
    if options.json and options.output is not None:
        told = {
            "call_sid": options.call_sid,
            "records": len(reading.records),
            "file": str(options.output),
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
    return DONE


def policy(config: Config) -> Policy:
    """Return the rules that these settings give decisions. Raises ConfigError."""
    return ruling(config, Toolbox.load(config.tools))


def _recording(call_sid: str, reading: Reading, rules: Policy) -> Recording:
    """Make the file. It names the settings' rules only where the call fits them.

    The settings of the machine that exports may not be those of the server that had the call.
    """
    records = [(one.epoch, one.at_ms, one.body) for one in reading.records]
    whole = recorded(records, call_sid=call_sid, incarnation=reading.incarnation, policy=rules)
    if replay(whole).is_same:
        return whole
    return recorded(records, call_sid=call_sid, incarnation=reading.incarnation)


def _write(text: bytes, output: Path | None) -> None:
    """Write the words of a caller where nobody else can read them."""
    if output is None:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    draft = output.with_name(f"{output.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_bytes(text)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


COMMAND = Command(
    name="export",
    summary="write a call's records as JSON lines",
    run=_run,
    add_to=_add_to,
    about="Write a call's records as JSON lines. They hold the caller's words: FILE is for its owner alone.",
)
