"""Webhooks and API requests made bad by chance: one clear answer each, never a fault of ours."""

import json
import random
from urllib.parse import parse_qsl, urlencode
from xml.etree.ElementTree import fromstring

import httpx2
import pytest

from tests.hostile.conftest import Witness
from tests.hostile.mutation import ODD, bent, flipped, written
from tests.web.front import ACCOUNT, CALL, PUBLIC_URL, ring, signature

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 25  # seeds of one test
SIGNED = range(0, 700, AT_ONCE)
BYTES = range(0, 300, AT_ONCE)
ASKED = range(0, 300, AT_ONCE)
ANSWERS = {200, 204, 400, 403, 409, 413, 415, 422}
FORM = "application/x-www-form-urlencoded"
MORE = {
    "/twiml/voice": {"CallerCity": "LONDON", "ForwardedFrom": "+15550009", "StirVerstat": "x"},
    "/twiml/resume": {"CallStatus": "in-progress"},
    "/twiml/fallback": {"ErrorCode": "11200", "ErrorUrl": f"{PUBLIC_URL}/twiml/voice"},
    "/twiml/dialled": {"DialCallStatus": "busy", "DialCallDuration": "3"},
    "/twiml/voicemail": {"RecordingSid": "RE1", "RecordingDuration": "7", "RecordingUrl": "https://a.b/c"},
    "/callbacks/call": {"CallStatus": "in-progress", "SequenceNumber": "1", "CallDuration": "9"},
    "/callbacks/stream": {"StreamSid": "MZ7", "StreamEvent": "stream-error", "StreamErrorCode": "31924"},
}  # fmt: skip
ACTS = {
    "digits": {"digits": "1w2"},
    "say": {"text": "Hello."},
    "transfer": {"to": "+15550009"},
    "notes": {"text": "A note."},
    "callback": {"in_s": 30},
    "operations/op1": {"approve": True, "by": "me"},
}


def texts(pairs: object) -> list[tuple[str, str]]:
    """Return what is left of a bent form as pairs of text, as a form has them."""
    found = pairs.items() if isinstance(pairs, dict) else [("CallSid", pairs)]
    return [(_plain(name), _plain(value)) for name, value in found]


def _plain(value: object) -> str:
    return str(value)[:20_000].encode("utf-8", "replace").decode()


def is_answered(answer: httpx2.Response, told: str) -> None:
    """See that an answer is whole: TwiML, nothing, or one clear sentence about what was wrong."""
    assert answer.status_code in ANSWERS, f"{told}: {answer.status_code} {answer.text}"
    if answer.status_code >= 400:
        problem = answer.json()
        assert problem["status"] == answer.status_code, told
        assert problem["detail"].strip(), told
        assert "\n" not in problem["detail"], told
        assert "Traceback" not in answer.text, told
    elif answer.headers.get("content-type", "").startswith(("text/xml", "application/xml")):
        assert fromstring(answer.text).tag == "Response", told  # noqa: S314 - we wrote it ourselves


@pytest.mark.parametrize("first", SIGNED)
async def test_a_signed_form_with_bad_fields_has_one_clear_answer(
    witness: Witness, first: int
) -> None:
    """The carrier's signature holds: what is wrong is what it says."""
    for seed in range(first, first + AT_ONCE):
        rng = random.Random(seed)
        path = rng.choice(list(MORE))
        pairs = texts(bent(rng, {**ring(CallSid=f"CAhook{seed % 7}"), **MORE[path]}))
        if rng.random() < 0.3:
            pairs = pairs * rng.randint(1, 30)
        if ("CallSid", CALL) in pairs:
            continue
        answer = await witness.front.hook(
            path, {}, signed=signature(PUBLIC_URL + path, pairs), content=urlencode(pairs)
        )
        is_answered(answer, f"seed {seed} {path}")
    await witness.is_well()


@pytest.mark.parametrize("first", BYTES)
async def test_a_form_of_bad_bytes_has_one_clear_answer(witness: Witness, first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        rng = random.Random(seed)
        path = rng.choice(list(MORE))
        raw = flipped(rng, urlencode({**ring(CallSid="CAbytes"), **MORE[path]}).encode())
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
        signed = (
            signature(PUBLIC_URL + path, pairs) if rng.random() < 0.7 else rng.choice(["", "x"])
        )
        kind = rng.choice(
            [FORM, FORM, f"{FORM}; charset=utf-8", "text/plain", "multipart/form-data"]
        )
        answer = await witness.front.hook(
            path, {}, signed=signed, content=raw, headers={"content-type": kind}
        )
        is_answered(answer, f"seed {seed} {path}")
    await witness.is_well()


@pytest.mark.parametrize("first", ASKED)
async def test_a_bad_request_of_a_person_has_one_clear_answer(witness: Witness, first: int) -> None:
    """On a call that nobody holds, so that a good one by chance does not harm the call beside."""
    call_sid = f"CAasked{first}"
    await witness.front.token(CallSid=call_sid, AccountSid=ACCOUNT)
    for seed in range(first, first + AT_ONCE):
        rng = random.Random(seed)
        act = rng.choice(list(ACTS))
        raw = written(rng, bent(rng, ACTS[act])).encode("utf-8", "replace")
        raw = flipped(rng, raw) if rng.random() < 0.2 else raw
        answer = await witness.front.api("POST", f"/api/calls/{call_sid}/{act}", content=raw)
        assert answer.status_code in ANSWERS | {202, 404}, f"seed {seed} {answer.text}"
        assert isinstance(answer.json(), dict), f"seed {seed}"
    await witness.is_well()


@pytest.mark.parametrize("name", ["after", "phase", "x"])
async def test_a_bad_question_has_one_clear_answer(witness: Witness, name: str) -> None:
    for odd in ODD:
        question = urlencode({name: _plain(odd)[:2_000]})
        for path in ("/api/calls", "/api/calls/CAhook0/events"):
            answer = await witness.front.api("GET", f"{path}?{question}")
            assert answer.status_code in (200, 400), f"{path} {odd!r:.50}"
            assert isinstance(answer.json(), dict)
    await witness.is_well()


async def test_a_call_of_an_odd_name_is_not_found(witness: Witness) -> None:
    for odd in ODD:
        name = httpx2.QueryParams({"n": "odd-" + _plain(odd)[:1_000]})
        path = f"/api/calls/{str(name)[2:]}"
        for method, more in (("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/hangup")):
            answer = await witness.front.api(method, path + more)
            assert answer.status_code in (400, 404, 405), f"{method} {odd!r:.50} {answer.text}"
            json.loads(answer.text)
    await witness.is_well()


@pytest.mark.parametrize(
    "bearer", ["", " ", "x" * 9_000, "see ", "\xff\xfe", "all,see", "Bearer all"]
)
async def test_a_bad_bearer_is_refused(witness: Witness, bearer: str) -> None:
    answer = await witness.front.web.get(
        "/api/calls", headers=[(b"authorization", b"Bearer " + bearer.encode("latin-1"))]
    )
    assert answer.status_code == (200 if bearer == "see " else 401)
    await witness.is_well()
