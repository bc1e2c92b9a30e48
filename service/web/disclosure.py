"""Telling a person all that is kept about them: every call with their number, or about their ticket.

Who asks must be an admin of the tenant. The log says how many calls were told of, not of whom.
"""

import json
import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.call.shown.view import view
from service.errors import Refused
from service.journal.journal import Journal
from service.journal.values import Missing
from service.session.kept.erasing import found
from service.web.erasure import about
from service.web.reading.admitted import Admitted
from service.web.reading.live import shown
from service.web.reading.showing import mark

CALLS_MAX = 1_000  # in one answer; a person with more of them is not one
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """The door by which all that is kept about a person is fetched."""

    journal: Journal
    admitted: Admitted

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/api/export", self.export_all, methods=["GET"])]

    async def export_all(self, request: Request) -> Response:
        """Every call of the tenant's that `number` or `ticket` names: its state and all its records."""
        visitor = self.admitted.bearers.admit(request, "admin")
        looked = await found(self.journal, about(request, visitor.tenant))
        if len(looked.calls) > CALLS_MAX:
            raise Refused(413, "Too much", f"More than {CALLS_MAX} calls are meant.")
        calls = []
        for headline, call in looked.calls:
            reading = await self.journal.read(headline.call_sid)
            if isinstance(reading, Missing):
                continue
            events = [shown(one) for one in reading.records]
            calls.append({"call": view(call, incarnation=mark(reading)), "events": events})
        _log.info("= %d calls were told of on request", len(calls), extra={"action": "calls_told"})
        return Response(
            json.dumps({"calls": calls, "unreadable": looked.unreadable}, indent=1),
            headers={"Content-Disposition": 'attachment; filename="person.json"'},
            media_type="application/json",
        )
