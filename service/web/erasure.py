"""Erasing: a call, or all that is kept about a person. Who asks must be an admin of the tenant.

The answer and the log say how many calls went, under a receipt's name; neither repeats who was meant.
"""

import logging
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.call.state import Call
from service.carrier import Outward
from service.clock import Clock
from service.errors import CarrierError, Refused
from service.journal.journal import Journal
from service.redaction import own_words
from service.session.kept.erasing import LETTERS_MAX, About, found
from service.web.reading.admitted import Admitted

_LETTERS = str.maketrans(
    "0123456789", "ghijklmnop"
)  # digits in a row would be withheld from the log
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """The doors by which calls are erased."""

    journal: Journal
    carrier: Outward
    admitted: Admitted
    clock: Clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/calls", self.erase_all, methods=["DELETE"]),
            Route("/api/calls/{call_sid}", self.erase, methods=["DELETE"]),
        ]

    async def erase(self, request: Request) -> Response:
        """Erase all that is kept of the call. A call that goes on is ended first."""
        call = (await self.admitted.call(request, "admin")).call
        if not await self._is_erased(call):
            raise Refused(502, "Bad gateway", "The call goes on and can't be ended.")
        _tell(1)
        return Response(status_code=204)

    async def erase_all(self, request: Request) -> Response:
        """Erase the tenant's calls with a number, or about a ticket, and say how many those were."""
        visitor = self.admitted.bearers.admit(request, "admin")
        looked = await found(self.journal, about(request, visitor.tenant))
        outcomes = [await self._is_erased(call) for _, call in looked.calls]
        erased = outcomes.count(True)
        receipt = _tell(erased)
        told = {
            "receipt": receipt,
            "at_ms": self.clock.now_ms(),
            "erased": erased,
            "going_on": len(outcomes) - erased,
            "unreadable": looked.unreadable,
        }
        return JSONResponse(told)

    async def _is_erased(self, call: Call) -> bool:
        if call.phase != "ended":
            try:
                await self.carrier.hang_up(call.call_sid)
            except CarrierError as trouble:
                _log.warning(
                    "! a call can't be ended, so it is not erased: %s",
                    trouble,
                    extra={"action": "erasure_failed", "call_sid": call.call_sid},
                )
                return False
        await self.journal.erase(call.call_sid)
        return True


def about(request: Request, tenant: str) -> About:
    """Return whom a request means. Raises Refused unless it names one of a number and a ticket."""
    asked = request.query_params
    # Who forgot to write the + of a number as %2B has sent a space.
    number, ticket = asked.get("number", "").strip(), asked.get("ticket", "").strip()
    if asked.get("number", "").startswith(" "):
        number = f"+{number}"
    if bool(number) == bool(ticket) or max(len(number), len(ticket)) > LETTERS_MAX:
        raise Refused(400, "Bad request", "Name a number or a ticket, and not both.")
    return About(tenant, number, ticket)


def _tell(erased: int) -> str:
    receipt = secrets.token_hex(8).translate(_LETTERS)
    _log.info(
        "= %d calls were erased on request, receipt %s",
        erased,
        own_words(receipt),
        extra={"action": "calls_erased"},
    )
    return receipt
