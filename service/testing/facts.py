"""What the service knows of a call: its state and its records, read from the journal as the API does."""

from typing import Any

from service.call import events
from service.call.place import Place
from service.call.shown.view import record_view, view
from service.journal.values import Missing, Reading
from service.session.kept.records import rebuilt
from service.testing.house import House

Json = dict[str, Any]


class Facts:
    """The facts of one call. Each question reads the journal anew."""

    def __init__(self, call_sid: str, house: House) -> None:
        self.call_sid = call_sid
        self.house = house

    @property
    def state(self) -> Json:
        """The call as `GET /api/calls/{call_sid}` shows it: phase, stage, streams, transcript and more.

        Empty when the service knows nothing of it.
        """
        reading = self._read()
        if reading is None:
            return {}
        return view(rebuilt(None, reading.records), incarnation=reading.incarnation)

    @property
    def fields(self) -> dict[str, str]:
        """The answers so far, by field; what else is known of each stands in `state["fields"]`."""
        return {name: field["value"] for name, field in self.state.get("fields", {}).items()}

    @property
    def transcript(self) -> list[Json]:
        """The lines of the talk: who, text, and for our own lines what was heard."""
        return list(self.state.get("transcript", []))

    @property
    def operations(self) -> list[Json]:
        """What tools were asked for, and how that came out."""
        return list(self.state.get("operations", []))

    @property
    def greetings(self) -> int:
        """How often the caller was greeted. Anything but 1 is a fault."""
        return len(self.journal("greeted"))

    def journal(self, kind: str = "") -> list[Json]:
        """Return the records as the API shows them, oldest first: of one kind, or all.

        Each has kind, position, epoch and at, and what its kind brings (service/call/events.py).
        """
        reading = self._read()
        shown = [
            record_view(events.decode(one.body), Place(one.position, one.epoch, one.at_ms))
            for one in (reading.records if reading else ())
        ]
        return [one for one in shown if kind in ("", one["kind"])]

    def _read(self) -> Reading | None:
        server = self.house.server
        reading = server.thread.do(server.parts.journal.read(self.call_sid))
        return None if isinstance(reading, Missing) else reading
