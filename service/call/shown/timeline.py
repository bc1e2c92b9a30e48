"""A call's life as it is drawn: its streams, the gaps between them, and what happened when. Pure.

    timeline = Timeline()
    for fact, place in facts:
        timeline.add(fact, place)

It is brought forward with the fold: `timeline.call` is the state after the facts so far. All `_ms` in
what is shown are moments, milliseconds since the epoch, unless they say how long (`gap_ms`).
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from service.call import events as e
from service.call.folds.fold import fold
from service.call.place import Placed
from service.call.shown.gaps import Gap, Gaps, gap_now
from service.call.shown.incidents import incident
from service.call.shown.lanes import Lanes, Speech
from service.call.state import Call, Operation

Json = dict[str, Any]


class Timeline:
    """One call, as far as it was told."""

    def __init__(self) -> None:
        self.call = Call()
        self._servers: list[str] = []  # of each stream
        self._gaps = Gaps()
        self._lanes = Lanes()
        self._keys: list[Json] = []
        self._acts: list[Json] = []
        self._levels: list[Json] = []
        self.incidents: list[Json] = []  # where the talk shows that something of it was lost
        self._ended: dict[str, int] = {}  # when each operation came to its end

    @property
    def server(self) -> str:
        """The server that took the last stream, "" before the first."""
        return self._servers[-1] if self._servers else ""

    def add(self, fact: e.AnyFact, place: Placed) -> None:
        """Take in the next fact."""
        self._gaps.see(self.call, fact, place)
        self._lanes.see(fact, place)
        before, self.call = self.call, fold(self.call, fact, place)
        self._note(before, fact, place)
        self._see_loss(before, fact, place)
        if not isinstance(fact, e.Unknown) and type(fact) in _ACTS:
            kind, told = _ACTS[type(fact)]
            by, text = told(fact)
            at = {"position": place.position, "at_ms": place.at_ms}
            self._acts.append({**at, "kind": kind, "by": by, "text": text})

    def add_all(self, facts: Iterable[tuple[e.AnyFact, Placed]]) -> None:
        """Take in facts in their order."""
        for fact, place in facts:
            self.add(fact, place)

    def shown(self) -> Json:
        """Return the timeline as JSON-ready values."""
        call = self.call
        streams = zip(call.streams, self._servers, strict=True)
        return {
            "from_ms": call.opened_ms,
            "to_ms": call.updated_ms,
            "position": call.position,
            "streams": [
                {
                    "stream_sid": stream.stream_sid,
                    "epoch": stream.epoch,
                    "server": server,
                    "cause": stream.cause,
                    "from_ms": stream.attached_ms,
                    "to_ms": stream.detached_ms,
                    "reason": stream.reason,
                }
                for stream, server in streams
            ],
            "gaps": [_gap(gap) for gap in self.gaps()],
            "speech": [asdict(one) for one in self.speech()],
            "keys": list(self._keys),
            "tools": [self._tool(one) for one in call.operations],
            "acts": list(self._acts),
            "levels": list(self._levels),
            "incidents": list(self.incidents),
        }

    def speech(self) -> list[Speech]:
        """Return all speech as it is known now, in the order of the transcript."""
        return self._lanes.shown(self.call)

    def gaps(self) -> list[Gap]:
        """Return the gaps, oldest first; the last one may be open."""
        now = gap_now(self.call, self.call.updated_ms)
        return [*self._gaps.found, *([now] if now else [])]

    def _note(self, before: Call, fact: e.AnyFact, place: Placed) -> None:
        match fact:
            case e.StreamAttached():
                self._servers.append(fact.server)
            case e.LevelsMeasured():
                loud = {"caller": fact.caller, "ours": fact.ours}
                self._levels.append({"at_ms": fact.at_ms, "step_ms": e.LEVEL_STEP_MS, **loud})
            case e.DigitPressed():
                at = {"position": place.position, "at_ms": place.at_ms}
                self._keys.append({**at, "digit": fact.digit})
            case e.OperationEnded() | e.OperationDenied():
                was = {one.operation for one in before.pending()}
                still = {one.operation for one in self.call.pending()}
                self._ended.update(dict.fromkeys(was - still, place.at_ms))
            case _:
                pass

    def _see_loss(self, before: Call, fact: e.AnyFact, place: Placed) -> None:
        kind = incident(before, fact)
        if kind is not None:
            at = {"position": place.position, "at_ms": place.at_ms}
            self.incidents.append({**at, "kind": kind})

    def _tool(self, one: Operation) -> Json:
        return {
            "id": one.operation,
            "tool": one.tool,
            "from_ms": one.requested_ms,
            "to_ms": self._ended.get(one.operation),
            "status": one.status,
        }


_ACTS: dict[type[e.Fact], tuple[str, Callable[[Any], tuple[str, str]]]] = {
    e.SayRequested: ("say", lambda fact: ("", fact.text)),
    e.DigitsRequested: ("digits", lambda fact: ("", fact.digits)),
    e.TransferRequested: ("transfer", lambda fact: ("", fact.to_number)),
    e.HangupRequested: ("hangup", lambda _fact: ("", "")),
    e.EndingRefused: ("not_transferred", lambda fact: ("", fact.detail)),
    e.NoteAdded: ("note", lambda fact: (fact.by, fact.text)),
    e.OperationApproved: ("approve", lambda fact: (fact.by, fact.operation)),
    e.OperationDenied: ("deny", lambda fact: (fact.by, fact.operation)),
    e.TakenOver: ("takeover", lambda fact: (fact.by, "")),
    e.HandedBack: ("handback", lambda fact: (fact.by, fact.reason)),
    e.CallbackRequested: ("callback", lambda fact: (fact.by, "")),
}
"""What people ask for and what is refused: how it is called, and who asked for what."""


def _gap(gap: Gap) -> Json:
    return {
        "after_epoch": gap.after_epoch,
        "before_epoch": gap.before_epoch,
        "is_open": gap.before_epoch is None,
        "from_ms": gap.from_ms,
        "to_ms": gap.to_ms,
        "gap_ms": gap.gap_ms,
        "heard_ms": gap.heard_ms,
        "cause": gap.cause,
        "reason": gap.reason,
        "playing": None if gap.playing is None else asdict(gap.playing),
        "caller_was_speaking": gap.caller_was_speaking,
        "restored": list(gap.restored),
        "missed_by_caller": gap.missed_by_caller,
    }
