"""Forged proofs at the application's own doors: signatures and stream tokens (S-1, S-2)."""

import asyncio
import base64
import hashlib
import hmac
import random
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from service.trust.token import LIFE_MS, SKEW_MS, Token, TokenMint
from tests.hostile.conftest import Witness, start
from tests.hostile.raw import CLOSE, TEXT, frame, upgraded
from tests.web.front import PUBLIC_URL, fronted, ring, signature

ROUTES = ("/twiml/voice", "/twiml/resume", "/twiml/dialled", "/callbacks/call", "/callbacks/stream")
REFUSED = {400, 403, 413, 415}
NOW_MS = 1_760_000_000_000
CALL = "CA" + "7" * 32
MINT = TokenMint(["the account's secret", "the one before"])
FORGERY = TokenMint(["another secret"])
SHARED = "key=k1,algorithm=HMAC_SHA256"


def signed_shared(url: str, pairs: list[tuple[str, str]]) -> str:
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    digest = hmac.digest(b"a shared secret", text.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def flipped(rng: random.Random, text: str) -> str:
    """Return a text with one bit of one letter changed, still ASCII."""
    at = rng.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ 1 << rng.randrange(7)) + text[at + 1 :]


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_no_webhook_is_taken_with_a_bit_of_its_proof_or_its_words_changed(seed: int) -> None:
    """500 requests in all: 0 accepted, 0 errors of ours, nothing written."""
    rng = random.Random(seed)
    async with fronted(twilio_shared_keys=(("k1", "a shared secret"),)) as front:
        for step in range(125):
            path, pairs = rng.choice(ROUTES), list(ring(CallSid=CALL, N=str(step)).items())
            settings = rng.choice(["", SHARED])
            url = PUBLIC_URL + path
            proof = signed_shared(url, pairs) if settings else signature(url, pairs)
            match rng.randrange(4):
                case 0:
                    proof = flipped(rng, proof)
                case 1:
                    at = rng.randrange(len(pairs))
                    pairs[at] = (pairs[at][0], flipped(rng, pairs[at][1]))
                case 2:
                    settings = rng.choice(
                        [SHARED, "key=k1,algorithm=HMAC_SHA1", "key=k2,algorithm=HMAC_SHA256"]
                        if not settings
                        else [
                            "",
                            "algorithm=HMAC_SHA1",
                            "key=k1",
                            "key=k1,algorithm=HMAC_SHA1",
                            flipped(rng, SHARED[:6]),
                        ]
                    )
                case _:
                    del pairs[rng.randrange(len(pairs))]
            headers = {"x-twilio-webhooks-signature-settings": settings} if settings else {}
            answer = await front.hook(
                path, {}, signed=proof, content=urlencode(pairs), headers=headers
            )
            assert answer.status_code in REFUSED, f"{seed=} {step=} {path} {pairs} {settings}"
        assert not await front.journal.open_calls()


@pytest.mark.asyncio
@pytest.mark.parametrize("settings", ["", SHARED])
async def test_a_poisoned_header_changes_nothing(settings: str) -> None:
    poison = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=evil.example"}  # fmt: skip
    if settings:
        poison["x-twilio-webhooks-signature-settings"] = settings
    async with fronted(twilio_shared_keys=(("k1", "a shared secret"),)) as front:
        for url, status in ((PUBLIC_URL, 200), ("https://evil.example", 403)):
            pairs = list(ring().items())
            sign = signed_shared if settings else signature
            answer = await front.hook(
                "/twiml/voice", ring(), signed=sign(f"{url}/twiml/voice", pairs), headers=poison
            )
            assert answer.status_code == status
            assert "evil" not in answer.text


def issued(mint: TokenMint, call_sid: str = CALL, now_ms: int = NOW_MS) -> str:
    return mint.issue(
        call_sid, door="voice", is_known=False, nonce="n0123456789abcdef", now_ms=now_ms
    )


FORGERIES: tuple[Callable[[random.Random, str], tuple[str, str, int]], ...] = (
    lambda rng, token: (flipped(rng, token), CALL, NOW_MS),
    lambda rng, token: (token[: rng.randrange(len(token))], CALL, NOW_MS),
    lambda rng, token: (token + rng.choice("aA0.=\n \0"), CALL, NOW_MS),
    lambda rng, token: (token, flipped(rng, CALL), NOW_MS),
    lambda rng, token: (token, CALL, NOW_MS + LIFE_MS + SKEW_MS + rng.randrange(1_000, 10**9)),
    lambda rng, token: (token, CALL, NOW_MS - SKEW_MS - rng.randrange(1_000, 10**9)),
    lambda rng, token: (_swapped(token, issued(FORGERY), rng.randrange(1, 6)), CALL, NOW_MS),
    lambda rng, token: (_swapped(issued(FORGERY), token, rng.randrange(1, 6)), CALL, NOW_MS),
    lambda _rng, _token: (issued(FORGERY), CALL, NOW_MS),
    lambda rng, token: (".".join(rng.sample(token.split("."), 7)), CALL, NOW_MS),
)  # fmt: skip


def _swapped(token: str, other: str, part: int) -> str:
    parts = token.split(".")
    parts[part] = other.split(".")[part]
    return ".".join(parts)


@pytest.mark.parametrize("seed", range(10))
def test_of_a_thousand_forged_tokens_none_is_read(seed: int) -> None:
    """S-2: changed, cut, longer, of another call, expired, of the future, of another key, shuffled."""
    rng, token = random.Random(seed), issued(MINT)
    assert isinstance(MINT.read(token, CALL, now_ms=NOW_MS), Token)
    tried = 0
    while tried < 100:
        shown, call_sid, now_ms = rng.choice(FORGERIES)(rng, token)
        if (shown, call_sid, now_ms) == (token, CALL, NOW_MS):
            continue  # a shuffle or a swap that changed nothing
        tried += 1
        why = MINT.read(shown, call_sid, now_ms=now_ms)
        assert isinstance(why, str), f"{seed=} {shown}"
        assert token.rpartition(".")[2] not in why


@pytest.mark.asyncio(loop_scope="module")
async def test_a_forged_token_opens_no_stream(witness: Witness) -> None:
    """The same at the real door: each socket is closed, and the call beside is well."""
    seed = 5
    rng, call_sid = random.Random(seed), "CA" + "8" * 32
    token = await witness.front.token(CallSid=call_sid)
    rows = len(await witness.front.journal.open_calls())
    for step in range(40):
        async with upgraded(witness.host) as raw:
            await raw.send(frame(TEXT, start(call_sid, flipped(rng, token))))
            async with asyncio.timeout(5):
                opcode, body = await raw.frame()
            assert (opcode, int.from_bytes(body[:2])) == (CLOSE, 1008), f"{seed=} {step=}"
            await raw.send(frame(CLOSE, body))
    assert len(await witness.front.journal.open_calls()) == rows
    await witness.is_well()
