"""The parts of the documents that are made from the code, so that they can't tell of anything else.

python -m tests.documents      write them anew
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import get_args

import msgspec
from prometheus_client.metrics import MetricWrapperBase

from service.call import events
from service.call.decisions import resume
from service.call.facts.fact import Fact
from service.call.folds.fold import fold
from service.call.state import Call
from service.instruments import Group
from service.meter import Meter
from service.protocol import stream
from service.sight.otel_metrics import named
from tests.call.corpus.journals import families

ROOT = Path(__file__).parent.parent


def call_states() -> str:
    """Return how a call's phase changes by its facts, as the golden journals show it, in Mermaid."""
    first = Call()
    seen: set[tuple[str, str, str]] = set()
    for entries in families().values():
        for one in entries:
            call = first
            for fact, place in one.facts():
                after = fold(call, fact, place)
                if after.phase != call.phase:
                    seen.add((call.phase, after.phase, kind(type(fact))))
                call = after
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first.phase}: call_opened"]
    lines += [f"    {before} --> {after}: {by}" for before, after, by in sorted(seen)]
    return "\n".join([*lines, "    ended --> [*]", "```"])


def stream_states() -> str:
    """Return the states of a stream, drawn from the table in `service/protocol/stream.py`."""
    return f"```mermaid\n{stream.diagram()}\n```"


def returns() -> str:
    """Return the table of what a caller experiences when a stream comes back."""
    rows = [line for line in str(resume.__doc__).splitlines() if line.startswith("|")]
    return "\n".join(rows)


def records() -> str:
    """Return all kinds of records with their fields, room by room."""
    kinds: tuple[type[Fact], ...] = tuple(
        one for one in get_args(events.Known) if issubclass(one, Fact)
    )
    ordered = sorted(kinds, key=lambda one: (one.__module__, standing(one)))
    tables = []
    for module, group in groupby(ordered, key=lambda one: one.__module__):
        about = re.split("[.:,]", str(sys.modules[module].__doc__), maxsplit=1)[0]
        rows = [
            f"| `{kind(one)}` | {fields(one)} | {' '.join((one.__doc__ or '').split())} |"
            for one in group
        ]
        tables.append("\n".join([f"## {about}", "", "| kind | fields | |", "|---|---|---|", *rows]))
    return "\n\n".join(tables)


def standing(one: type[Fact]) -> int:
    """Return where in its file a kind stands."""
    return inspect.getsourcelines(one)[1]


def kind(one: type[msgspec.Struct]) -> str:
    """Return a kind's name as it stands in a record."""
    return str(one.__struct_config__.tag)


def fields(one: type[Fact]) -> str:
    """Return a kind's own fields; an optional one in italics."""
    own = [field for field in msgspec.structs.fields(one) if field.name != "v"]
    named = [f"`{field.name}`" if field.required else f"*`{field.name}`*" for field in own]
    return ", ".join(named)


def metrics() -> str:
    """Return all metrics, with OpenTelemetry's name, kind and labels of each."""
    rows = ["| metric | OpenTelemetry | kind | labels | |", "|---|---|---|---|---|"]
    for one in sorted(instruments(Meter()), key=lambda one: one._name):
        tail = "_total" if one._type == "counter" else ""
        dotted, unit = named(one._name)
        other = f"`{dotted}`" + (f", {unit}" if unit else "")
        labels = ", ".join(f"`{label}`" for label in one._labelnames)
        rows.append(
            f"| `{one._name}{tail}` | {other} | {one._type} | {labels} | {one._documentation} |"
        )
    return "\n".join(rows)


def instruments(group: object) -> Iterator[MetricWrapperBase]:
    """Yield each instrument of a meter and of its groups."""
    for one in vars(group).values():
        if isinstance(one, MetricWrapperBase):
            yield one
        elif isinstance(one, Group):
            yield from instruments(one)


MADE: dict[tuple[str, str], Callable[[], str]] = {
    ("docs/how-it-works.md", "call"): call_states,
    ("docs/how-it-works.md", "stream"): stream_states,
    ("docs/how-it-works.md", "returns"): returns,
    ("docs/records.md", "records"): records,
    ("docs/monitoring.md", "metrics"): metrics,
}


def place(name: str) -> re.Pattern[str]:
    """Return where a part stands in its document: between two comments that name it."""
    return re.compile(rf"(?<=<!-- made: {name} -->\n).*?(?=\n<!-- end: {name} -->)", re.DOTALL)


def main() -> None:
    """Write every part anew."""
    for (document, name), make in MADE.items():
        path = ROOT / document
        text = path.read_text(encoding="utf-8")
        stands = place(name).search(text)
        if stands is None:
            raise SystemExit(f"{document} has no place for {name}")
        path.write_text(text[: stands.start()] + make() + text[stands.end() :], encoding="utf-8")


if __name__ == "__main__":
    main()
