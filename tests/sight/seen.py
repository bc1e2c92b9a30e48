"""A call in memory that is watched as a session watches its own."""

from collections.abc import Sequence

from typing_extensions import override

from service.call import events as e
from service.call.state import Call
from service.meter import Meter
from service.sight.noticing import Sight
from service.sight.spans import Span
from tests.call.story import Story


class Kept:
    """Spans, kept."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def tell(self, span: Span) -> None:
        self.spans.append(span)

    def named(self, name: str) -> list[Span]:
        return [one for one in self.spans if one.name == name]


class Watched(Story):
    """A story each of whose writes is noticed; what others write is not."""

    def __init__(self, traces: Kept | None = None) -> None:
        super().__init__()
        self.meter = Meter()
        self.sight = Sight(self.meter, traces)

    @override
    def write(self, *facts: e.AnyFact, is_outside: bool = False) -> Call:
        before = self.call
        after = super().write(*facts, is_outside=is_outside)
        known: Sequence[e.Known] = [one for one in facts if not isinstance(one, e.Unknown)]
        if known and not is_outside:
            self.sight.wrote(before, known, after, now_us=self.now_ms * 1_000, took_us=500)
        return after

    def counted(self, name: str, **labels: str) -> float:
        return self.meter.value(f"stayline_{name}", **labels)
