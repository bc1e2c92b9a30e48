"""The carrier's callbacks: what became of a call, and of a stream. Their answers mean nothing to it."""

import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.call import events as e
from service.session.calling_back import CallingBack
from service.session.kept.ring_backs import RingBacks
from service.switchboard.switchboard import Switchboard
from service.web.door.form import SignedForm
from service.web.webhooks.handover import parsed
from service.web.webhooks.outside import Outside, digest
from twiml import webhook

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """The callbacks of one application."""

    form: SignedForm
    outside: Outside
    switchboard: Switchboard
    ring_backs: RingBacks
    calling_back: CallingBack

    def routes(self) -> list[Route]:
        """Return the callbacks' routes."""
        return [
            Route("/callbacks/call", self.call_status, methods=["POST"]),
            Route("/callbacks/stream", self.stream_status, methods=["POST"]),
        ]

    async def call_status(self, request: Request) -> Response:
        """What became of the call."""
        status = parsed(webhook.parse_call_status, await self.form.read(request))
        if status.is_over:
            await self.outside.end(status.call_sid, status.status)
            call = await self.outside.call(status.call_sid)
            if call is not None:
                await self.ring_backs.settle(call)
            if callback_of := request.query_params.get("callback", ""):
                await self.calling_back.over(callback_of, status.call_sid, status.status)
        return Response(status_code=204)

    async def _broke(self, event: webhook.StreamEvent) -> None:
        """Tell whoever holds the stream: a session here, or by the journal one on another server."""
        session = self.switchboard.find(event.call_sid)
        if session is not None and session.stream_sid == event.stream_sid:
            session.lost(session.epoch, "error")
            return
        told = e.StreamError(stream_sid=event.stream_sid, code=event.error_code or 0)
        await self.outside.add(event.call_sid, f"error:{digest(event.stream_sid)}", told)

    async def stream_status(self, request: Request) -> Response:
        """What became of a stream. An error here may be the first that we hear of it."""
        event = parsed(webhook.parse_stream_event, await self.form.read(request))
        if event.change is webhook.StreamChange.ERROR:
            _log.warning(
                "< stream error %s",
                event.error_code,
                extra={"action": "stream_error", "call_sid": event.call_sid},
            )
            await self._broke(event)
        return Response(status_code=204)
