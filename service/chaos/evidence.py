"""What is kept of a call in which a rule was broken, for whoever looks for the cause.

    FOLDER/CA….json       its streams and what was heard on each, its drops, its records

The report names the calls; this tells each one's story from the caller's side beside the journal's.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from service.chaos.callers.crowd import LightPhone
from service.chaos.callers.strand import Strand
from service.chaos.harms import Dropped
from service.chaos.judging.judge import Journals

CALLS_MAX = 50  # of one wave: the first ones tell what is wrong


def keep(
    folder: Path,
    findings: Iterable[str],
    phones: Sequence[LightPhone],
    drops: Sequence[Dropped],
    journals: Journals,
) -> list[Path]:
    """Write a file for each call that a finding names; returns the files."""
    named = {found.partition(":")[0].partition("\n")[0] for found in findings}
    of_interest = [phone for phone in phones if phone.call_sid in named]
    written = []
    for phone in of_interest[:CALLS_MAX]:
        file = folder / f"{phone.call_sid}.json"
        told = story(phone, [one for one in drops if one.phone is phone], journals)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
        written.append(file)
    return written


def story(phone: LightPhone, drops: Iterable[Dropped], journals: Journals) -> dict[str, Any]:
    """Return what happened to a call; moments in milliseconds, 0 for never."""
    return {
        "call_sid": phone.call_sid,
        "story": phone.story().splitlines(),
        "streams": [
            _stream(number, strand, phone.now_ms())
            for number, strand in enumerate(phone.span.strands, 1)
        ],
        "drops": [
            {
                "at_ms": one.at_us // 1_000,
                "kind": one.kind,
                "stream": one.strand,
                "weather": one.link.weather.name,
                "port": one.link.port,
            }
            for one in drops
        ],
        "records": journals.get(phone.call_sid, []),
    }


def _stream(number: int, strand: Strand, now_ms: int) -> dict[str, Any]:
    return {
        "number": number,
        "stream_sid": strand.leg.stream_sid,
        "started_ms": strand.started_us // 1_000,
        "ended_ms": strand.ended_us // 1_000,
        "harmed_ms": strand.harmed_us // 1_000,
        "known_ms": strand.known_ms(now_ms),
        "late_ms": strand.late_ms,
        "code": strand.code,
        "heard": [
            f"{at_ms} {word.text} {word.index + 1}/{word.of}"
            for at_ms, word in strand.heard(now_ms)
        ],
    }
