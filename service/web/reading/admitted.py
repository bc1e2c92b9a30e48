"""The call that a request asks for, if whoever asks may see it."""

from dataclasses import dataclass

from starlette.requests import Request

from service import scope
from service.errors import Refused
from service.trust.api_token import Role
from service.web.door.bearer import Bearers
from service.web.reading.showing import Showing, Showings


@dataclass(frozen=True)
class Admitted:
    """Finds calls for those who ask. Another tenant's call is answered like one that isn't there."""

    bearers: Bearers
    showings: Showings

    async def call(self, request: Request, role: Role, *, is_live: bool = False) -> Showing:
        """Return the path's call. Raises Refused: 401, 403, 404, and 409 if it has ended but must not."""
        token = self.bearers.admit(request, role)
        call_sid = request.path_params["call_sid"]
        scope.of_call(call_sid)
        showing = await self.showings.of(call_sid)
        if showing is None or showing.call.tenant != token.tenant:
            raise no_call()
        if is_live and showing.call.phase == "ended":
            raise Refused(409, "Conflict", "The call has ended.")
        return showing


def no_call() -> Refused:
    """Return what is answered for a call that is not there."""
    return Refused(404, "Not found", "There is no such call.")
