"""Other carriers' conversations, as their documentation has them, against the whole application."""

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from service.audio import decode
from service.call import events as e
from tests.conftest import wait_until
from tests.twiml.test_proofs import plivos
from tests.web.front import PUBLIC_URL, Front, parsed, signature, stream

pytestmark = pytest.mark.asyncio

FOLDER = Path(__file__).parents[3] / "fixtures" / "carriers"
SOUND = b"\x2a" * 160
MARKS = {"mark": "mark", "checkpoint": "playedStream"}  # ours, and what comes back of them
OURS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(OURS.public_key().public_bytes_raw()).decode()

Pairs = list[tuple[str, str]]


def by_telnyx(front: Front, _path: str, pairs: Pairs) -> dict[str, str]:
    now = str(front.parts.clock.now_ms() // 1000)
    proof = OURS.sign(f"{now}|{urlencode(pairs)}".encode())
    return {
        "telnyx-signature-ed25519": base64.b64encode(proof).decode(),
        "telnyx-timestamp": now,
    }


def by_plivo(_front: Front, path: str, pairs: Pairs) -> dict[str, str]:
    text = f"{PUBLIC_URL}{path}?{''.join(k + v for k, v in sorted(pairs))}.77"
    return {"x-plivo-signature-v3": plivos(text), "x-plivo-signature-v3-nonce": "77"}


def by_signalwire(_front: Front, path: str, pairs: Pairs) -> dict[str, str]:
    return {"x-signalwire-signature": signature(PUBLIC_URL + path, pairs)}


CARRIERS: dict[str, tuple[dict[str, Any], Callable[..., dict[str, str]] | None]] = {
    "telnyx": ({"carrier_key": (PUBLIC,)}, by_telnyx),
    "signalwire": ({"carrier_key": ("12345",)}, by_signalwire),
    "plivo": ({"carrier_key": ("secret",)}, by_plivo),
    "exotel": ({"carrier_unsigned": True}, None),
}


SCRIPTS: dict[str, list[dict[str, Any]]] = {
    carrier: [json.loads(line) for line in (FOLDER / f"{carrier}.jsonl").read_text().splitlines()]
    for carrier in CARRIERS
}


def call_of(lines: list[dict[str, Any]]) -> str:
    start = next(one["message"]["start"] for one in lines if "start" in one["message"])
    names = ("callSid", "call_sid", "callId", "call_control_id")
    return next(str(start[name]) for name in names if name in start)


async def address(front: Front, carrier: str, call_sid: str, webhook: str) -> str:
    """Have the carrier ask what to do; return the address of the stream in our answer."""
    sign = CARRIERS[carrier][1]
    if sign is None:
        asked = {"CallSid": call_sid, "CallFrom": "+15550001", "CallTo": "+15550002"}
        answer = await front.web.get("/twiml/voice", params=asked)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])
    name = "CallUUID" if carrier == "plivo" else "CallSid"
    pairs = [(name, call_sid), ("From", "+15550001"), ("To", "+15550002"), ("Direction", "inbound")]
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        **sign(front, webhook, pairs),
    }
    unsigned = await front.web.post(
        webhook, content=urlencode([*pairs, ("X", "y")]), headers=headers
    )
    assert unsigned.status_code == 403
    answer = await front.web.post(webhook, content=urlencode(pairs), headers=headers)
    assert answer.status_code == 200, answer.text
    found = next(parsed(answer.text).iter("Stream"))
    return str(found.get("url") or found.text)


class Peer:
    """The carrier's end of a stream, which says what its conversation says."""

    def __init__(self, socket: ClientConnection, carrier: str) -> None:
        self._socket = socket
        self._carrier = carrier

    async def say(self, message: dict[str, Any]) -> None:
        sound = decode(SOUND) * 5 if self._carrier == "exotel" else SOUND
        text = json.dumps(message).replace("SOUND", base64.b64encode(sound).decode())
        await self._socket.send(text)

    async def hear(self, event: str) -> dict[str, Any]:
        """Listen, sending marks back, until such a message comes."""
        while True:
            said: dict[str, Any] = json.loads(await self._socket.recv())
            if said["event"] in MARKS:
                await self.say({**said, "event": MARKS[said["event"]]})
            if said["event"] == event:
                return said


@contextlib.asynccontextmanager
async def dialled(host: str, url: str, carrier: str) -> AsyncIterator[Peer]:
    async with connect(
        f"ws://{host}{urlsplit(url).path}", compression=None, ping_interval=None, proxy=None
    ) as socket:
        yield Peer(socket, carrier)
        socket.transport.abort()


def served_as(*carriers: str) -> pytest.MarkDecorator:
    """Run a test with the settings for these carriers."""
    given = [
        (one, {"carrier": one, "twilio_account_sid": "", **CARRIERS[one][0]}) for one in carriers
    ]
    return pytest.mark.parametrize(("carrier", "changes"), given, ids=carriers)


@served_as(*CARRIERS)
async def test_a_recorded_conversation_goes_on_after_its_drop(
    front: Front, host: str, carrier: str
) -> None:
    lines = SCRIPTS[carrier]
    call_sid = call_of(lines)
    cut = next(n for n, one in enumerate(lines) if one["way"] == "!")
    await went(front, host, carrier, lines[:cut], webhook="/twiml/voice", digits="1")
    await went(front, host, carrier, lines[cut + 1 :], webhook="/twiml/resume", digits="12")
    facts = await front.facts(call_sid)
    streams = [fact for fact in facts if isinstance(fact, e.StreamAttached)]
    assert [one.cause for one in streams] == ["new", "drop"]
    assert sum(isinstance(fact, e.Greeted) for fact in facts) == 1
    assert any(isinstance(fact, e.Played) and fact.part_samples for fact in facts), "marks count"


def is_heard(front: Front, call_sid: str) -> bool:
    session = front.parts.switchboard.find(call_sid)
    return session is not None and any(one.heard_samples for one in session._line.played())


async def went(
    front: Front,
    host: str,
    carrier: str,
    part: list[dict[str, Any]],
    *,
    webhook: str,
    digits: str,
) -> None:
    """Have the carrier ask, dial, say its part and lose the stream."""
    call_sid = call_of(SCRIPTS[carrier])
    url = await address(front, carrier, call_sid, webhook)
    assert url.startswith("wss://calls.example.com/media/1.")
    async with dialled(host, url, carrier) as peer:
        for one in part:
            if one["way"] == ">":
                await peer.say(one["message"])
            elif (await peer.hear(one["message"]["event"]))["event"] in MARKS:
                await wait_until(lambda: is_heard(front, call_sid), description="some is heard")
        session = front.parts.switchboard.find(call_sid)
        assert session is not None
        await wait_until(
            lambda: session.call.digits_pending == digits, description=f"{digits} is noted"
        )
    await wait_until(lambda: session.call.phase == "detached", description="the drop is noted")


@served_as("telnyx")
async def test_a_socket_without_a_token_that_counts_is_refused(
    front: Front, host: str, carrier: str
) -> None:
    start = next(one["message"] for one in SCRIPTS[carrier] if "start" in one["message"])
    async with dialled(host, "wss://h/media/1.made.up", carrier) as peer:
        await peer.say(start)
        with pytest.raises(ConnectionClosed, match="1008"):
            await peer.hear("media")
    assert await front.journal.open_calls() == ()


@pytest.mark.parametrize("changes", [{"lookalike_carriers": True, "twilio_account_sid": ""}])
async def test_a_look_alike_at_twilios_entrance_is_known_by_its_start(
    front: Front, host: str
) -> None:
    token = front.parts.mint.issue(
        "c-1", door="voice", is_known=False, nonce="n" * 16, now_ms=front.parts.clock.now_ms()
    )
    async with stream(host, signed="") as one:
        form = {"encoding": "audio/x-mulaw"}
        body = {"streamId": "s", "callId": "c-1", "mediaFormat": form}
        told = {"event": "start", "start": body, "extra_headers": f"token={token}"}
        await one.socket.send(json.dumps(told))
        assert (await one.hear("playAudio"))["media"]["contentType"] == form["encoding"]
