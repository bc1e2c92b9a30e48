from urllib.parse import urlencode

import pytest

from service.web.door import form as module
from tests.web.front import PUBLIC_URL, Front, ring, signature

pytestmark = pytest.mark.asyncio

HOOKS = (
    "/twiml/voice",
    "/twiml/resume",
    "/twiml/fallback",
    "/callbacks/call",
    "/callbacks/stream",
)
FORM = "application/x-www-form-urlencoded"


async def refused(front: Front, answer: object, status: int) -> None:
    """Check that it is a problem document, and that nothing was stored."""
    assert getattr(answer, "status_code", 0) == status, getattr(answer, "text", "")
    assert getattr(answer, "headers", {})["content-type"] == "application/problem+json"
    assert await front.journal.open_calls() == ()


@pytest.mark.parametrize("path", HOOKS)
@pytest.mark.parametrize("signed", ["", "bm9uc2Vuc2U=", "\xe4\xf6", "x" * 5_000])
async def test_what_is_not_signed_is_refused(front: Front, path: str, signed: str) -> None:
    pairs = urlencode(ring()).encode()
    headers = {b"content-type": FORM.encode()}
    if signed:
        headers[b"x-twilio-signature"] = signed.encode("latin-1")
    await refused(front, await front.web.post(path, content=pairs, headers=headers), 403)


async def test_a_signature_of_another_path_form_or_query_does_not_fit(front: Front) -> None:
    right = list(ring().items())
    for url, fields in (
        (f"{PUBLIC_URL}/twiml/resume", right),
        (f"{PUBLIC_URL}/twiml/voice?x=1", right),
        (f"{PUBLIC_URL}/twiml/voice", [*right, ("Digits", "1")]),
        ("https://evil.example.com/twiml/voice", right),
    ):
        answer = await front.hook("/twiml/voice", ring(), signed=signature(url, fields))
        await refused(front, answer, 403)


@pytest.mark.parametrize(
    ("raw_path", "root_path", "inside"),
    [
        (b"/twiml/voice", "", "/twiml/voice"),
        (b"/twiml/voice", "/", "/twiml/voice"),
        (b"/calls/twiml/voice", "/calls", "/twiml/voice"),
        (b"/calls/twiml/voice", "/calls/", "/twiml/voice"),
        (b"/a/b/twiml/voice?x=1", "/a/b", "/twiml/voice"),
        (b"/a%20b/twiml%2Fvoice", "/a b", "/twiml%2Fvoice"),
        (b"/twiml/voice", "/calls", "/twiml/voice"),  # the server, or a proxy, has cut it off
        (b"/media", "/calls", "/media"),
        (b"/callsign/voice", "/calls", "/callsign/voice"),
    ],
)
async def test_the_path_that_counts_is_the_one_inside_this_application(
    raw_path: bytes, root_path: str, inside: str
) -> None:
    scope = {"raw_path": raw_path, "path": "", "query_string": b"x=1", "root_path": root_path}
    assert module.raw_target(scope) == (inside, "x=1")


async def test_a_poisoned_host_changes_nothing(front: Front) -> None:
    poison = {"host": "evil.example.com", "x-forwarded-host": "evil.example.com"}
    answer = await front.hook("/twiml/voice", ring(), headers=poison)
    assert answer.status_code == 200
    assert "evil" not in answer.text


@pytest.mark.parametrize("path", HOOKS)
async def test_another_account_is_refused(front: Front, path: str) -> None:
    await refused(front, await front.hook(path, ring(AccountSid="AC" + "9" * 32)), 403)


async def test_another_media_type_is_refused(front: Front) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "", "text/plain"):
        answer = await front.hook("/twiml/voice", ring(), headers={"content-type": kind})
        await refused(front, answer, 415)


async def test_the_charset_does_not_matter(front: Front) -> None:
    kind = f"{FORM}; charset=UTF-8"
    answer = await front.hook("/twiml/voice", ring(), headers={"content-type": kind})
    assert answer.status_code == 200


async def test_a_body_too_large_is_refused(front: Front) -> None:
    answer = await front.hook("/twiml/voice", ring(Junk="x" * module.BODY_BYTES_MAX))
    await refused(front, answer, 413)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a=%ff", b"no equals sign", b"a=1&&b", b"&".join([b"a=1"] * 500)]
)
async def test_a_form_that_can_not_be_read_is_refused(front: Front, content: bytes) -> None:
    await refused(front, await front.hook("/twiml/voice", {}, content=content), 400)


@pytest.mark.parametrize(
    "fields",
    [
        {"CallSid": ""},
        {"CallSid": "../../etc"},
        {"CallSid": "CA{1}"},
        {"CallSid": "x" * 200},
        {"From": "9" * 3_000},
    ],
)
async def test_a_signed_form_that_makes_no_sense_is_refused(
    front: Front, fields: dict[str, str]
) -> None:
    await refused(front, await front.hook("/twiml/voice", ring(**fields)), 400)


async def test_an_empty_body_is_no_call(front: Front) -> None:
    await refused(front, await front.hook("/twiml/voice", {}), 400)


async def test_unknown_and_repeated_fields_are_signed_too(front: Front) -> None:
    fields = [*ring().items(), ("New", "ä ö & ="), ("New", "b"), ("Empty", "")]
    proof = signature(f"{PUBLIC_URL}/twiml/voice", fields)
    answer = await front.hook("/twiml/voice", {}, content=urlencode(fields), signed=proof)
    assert answer.status_code == 200
