"""Secrets are rotated in the middle of a call, server by server, and the call goes on (S-1, S-2)."""

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

from tests.web.front import CALL, PUBLIC_URL, Front, fronted, parameters, ring, served, stream

pytestmark = pytest.mark.asyncio

OLD, NEW = "the old auth token", "the new auth token"
KEYS = {"k1": "the first shared key", "k2": "the second shared key"}


def signed(url: str, secret: str, pairs: dict[str, str], *, is_shared: bool) -> str:
    text = url + "".join(name + value for name, value in sorted(pairs.items()))
    kind = hashlib.sha256 if is_shared else hashlib.sha1
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), kind).digest()).decode()


async def token_by(front: Front, path: str, secret: str, key: str = "") -> str:
    """Ask as the carrier that signs with this secret; return the stream's token."""
    proof = signed(PUBLIC_URL + path, secret, ring(), is_shared=bool(key))
    settings = f"key={key},algorithm=HMAC_SHA256" if key else ""
    headers = {"x-twilio-webhooks-signature-settings": settings} if settings else {}
    answer = await front.hook(path, ring(), signed=proof, headers=headers)
    assert answer.status_code == 200, answer.text
    return parameters(answer.text)["token"]


async def resumes(front: Front, token: str, stream_sid: str, secret: str) -> None:
    """Open the next stream with a token, and see that it is the same call."""
    proof = signed("wss://calls.example.com/media", secret, {}, is_shared=False)
    async with served(front) as host, stream(host, stream_sid, signed=proof) as line:
        await line.start(token)
        await line.hear("media")
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        assert session.call.streams[-1].stream_sid == stream_sid


async def test_a_call_lives_through_the_rotation_of_the_auth_token(tmp_path: Path) -> None:
    """Both known everywhere, then the carrier changes, then the new one signs ours, then the old one goes.

    Each server is another one, and the token that was issued by the one before opens the stream at the next.
    """
    store: dict[str, Any] = {"store_url": f"sqlite:///{tmp_path / 'j.db'}", "drop_limit": "90/60"}
    steps = (((OLD,), OLD), ((OLD, NEW), OLD), ((OLD, NEW), NEW), ((NEW, OLD), NEW), ((NEW,), NEW))
    token = ""
    for at, (secrets, signs) in enumerate(steps):
        async with fronted(twilio_auth_token=secrets, **store) as front:
            path = "/twiml/resume" if at else "/twiml/voice"
            if not token or at == len(steps) - 1:
                token = await token_by(front, path, signs)
            await resumes(front, token, f"MZ{at}", signs)
            token = await token_by(front, "/twiml/resume", signs)


async def test_a_call_lives_through_the_rotation_of_a_shared_key(tmp_path: Path) -> None:
    """The carrier may go from the auth token to a shared key, to the next one, and back, as it likes."""
    store: dict[str, Any] = {"store_url": f"sqlite:///{tmp_path / 'j.db'}", "drop_limit": "90/60"}
    steps = (("", ""), ("k1", "k1"), ("k1 k2", "k1"), ("k1 k2", "k2"), ("k2", "k2"), ("", ""))
    for at, (known, signs) in enumerate(steps):
        keys = tuple((name, KEYS[name]) for name in known.split())
        async with fronted(twilio_auth_token=(OLD,), twilio_shared_keys=keys, **store) as front:
            path = "/twiml/resume" if at else "/twiml/voice"
            token = await token_by(front, path, KEYS.get(signs, OLD), signs)
            await resumes(front, token, f"MZ{at}", OLD)
