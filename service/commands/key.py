"""`stayline key`: a fresh key for SEAL_KEYS."""

import argparse
import json
import sys

from service.commands.command import DONE, Command, add_json
from service.trust import sealkeys


def _add_to(parser: argparse.ArgumentParser) -> None:
    add_json(parser, "the key")


def _run(options: argparse.Namespace) -> int:
    key = sealkeys.fresh()
    sys.stdout.write(f"{json.dumps({'seal_key': key}) if options.json else key}\n")
    return DONE


COMMAND = Command(name="key", summary="print a fresh key for SEAL_KEYS", run=_run, add_to=_add_to)
