"""Who has no business here: sockets that prove nothing, tokens in the wrong hands, forms full of rubbish."""

import asyncio
import json
from typing import cast

from service.call import events as e
from service.simulator import signing
from service.simulator.account import new_sid
from tests.simulation import wire
from tests.simulation.exchange import ACCOUNT, PUBLIC_URL
from tests.simulation.fleet import Fleet
from tests.simulation.plan import Fault
from tests.simulation.server import Server

STRANGER_MS_MAX = 5_500  # a stream that proves nothing is closed in 5 s
RUBBISH = (b"", b"%%%", b"CallSid=&CallSid=x", b"\xff\xfe", b"CallSid=CA1&CallStatus=dancing")


class Strangers:
    """Does what strangers do to the fleet, and judges what becomes of them: rules 7 and 10."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._check = fleet.witness.check

    async def come(self, _fault: Fault) -> None:
        """A signed socket without a token that is worth anything: it must not live."""
        await self._try(new_sid("CA"), "v1.nobody")

    async def steal(self, fault: Fault) -> None:
        """A signed socket with the token of somebody's live stream, for another call or another stream.

        It comes to that stream's own server: others can't know in an outage what was spent there.
        """
        phones = self._fleet.phones
        phone = phones[fault.whom] if fault.whom < len(phones) else None
        if phone is None or phone.is_over or not phone.lines:
            return
        line = phone.lines[-1]
        told = self._fleet.witness.told.get(phone.call_sid, [])
        attached = {one.fact.stream_sid for one in told if isinstance(one.fact, e.StreamAttached)}
        if line.leg.stream_sid in attached:
            call_sid = phone.call_sid if fault.way == "other stream" else new_sid("CA")
            token = line.leg._parameters.get("token", "")
            await self._try(call_sid, token, at=cast("wire.Connection", line._connection).server)

    async def _try(self, call_sid: str, token: str, *, at: Server | None = None) -> None:
        server = at or self._fleet.balanced()
        if server is None or not server.is_serving:
            return
        stream_sid, stills = new_sid("MZ"), server.stills
        connection = await self._socket(server, call_sid, stream_sid, token)
        if connection is None:
            return
        await asyncio.sleep(STRANGER_MS_MAX / 1_000)
        if server.stills == stills:
            self._check(7, connection.is_cut, f"a stranger's stream {stream_sid} lives on")
        is_own = any(one.call_sid == call_sid for one in self._fleet.phones)
        if not is_own:
            is_known = call_sid in self._fleet.cabinet.state.rows
            self._check(7, not is_known, "a stranger's stream opened a call")
            for one in self._fleet.servers:
                is_held = one.parts.switchboard.find(call_sid) is not None
                self._check(7, not is_held, "a stranger's stream has a session")
        told = self._fleet.witness.told.get(call_sid, [])
        streams = {getattr(one.fact, "stream_sid", "") for one in told}
        self._check(7, stream_sid not in streams, "a stranger's stream took a call")

    async def _socket(
        self, server: Server, call_sid: str, stream_sid: str, token: str
    ) -> wire.Connection | None:
        """Open a signed socket, and say what a stream says first."""
        url = f"{PUBLIC_URL.replace('https', 'wss')}/media"
        connection = wire.Connection(server)
        sign = signing.signature(ACCOUNT.auth_token, url)
        try:
            if not await connection.open(url, {signing.SOCKET_HEADER: sign}):
                return None
        except ConnectionError:
            return None
        start = {
            "accountSid": ACCOUNT.account_sid,
            "streamSid": stream_sid,
            "callSid": call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": token},
        }
        head = {"sequenceNumber": "1", "streamSid": stream_sid}
        for message in ({"event": "connected"}, {"event": "start", "start": start} | head):
            if not connection.is_cut:
                await connection.send(json.dumps(message))
        return connection

    async def write(self, fault: Fault) -> None:
        """Somebody posts what is no form of the carrier's."""
        server = self._fleet.balanced()
        if server is None or not server.is_serving:
            return
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in RUBBISH[: fault.lasts_ms + 1]:
            try:
                answered = await wire.ask(
                    server, "POST", f"{PUBLIC_URL}/twiml/voice", headers, body
                )
            except ConnectionError:
                return
            is_refused = 400 <= answered.status < 500
            self._check(10, is_refused, f"rubbish was answered {answered.status}")
