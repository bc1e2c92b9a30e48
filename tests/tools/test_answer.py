import json

import pytest

from service.tools.answer import CUT, NESTED_MAX, RETRY_AFTER_MS_MAX, judged, result_text
from service.tools.terms import RESULT_BYTES_MAX, Outcome


def of(
    status: int,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    *,
    is_idempotent: bool = False,
    is_whole: bool = True,
) -> Outcome:
    return judged(status, headers or {}, body, is_idempotent=is_idempotent, is_whole=is_whole)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("is_idempotent", [True, False])
def test_a_success_is_a_success(status: int, *, is_idempotent: bool) -> None:
    assert of(status, is_idempotent=is_idempotent) == Outcome("succeeded")


@pytest.mark.parametrize("status", [408, 425, 429])
@pytest.mark.parametrize("is_idempotent", [True, False])
def test_what_was_turned_away_may_come_again(status: int, *, is_idempotent: bool) -> None:
    expected = Outcome("failed", detail=f"It answered {status}.", may_retry=True)
    assert of(status, is_idempotent=is_idempotent) == expected


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451, 499])
@pytest.mark.parametrize("is_idempotent", [True, False])
def test_what_was_refused_stays_refused_and_says_why(status: int, *, is_idempotent: bool) -> None:
    refused = of(status, body=b'{"error": "closed"}', is_idempotent=is_idempotent)
    assert refused == Outcome("failed", '{"error":"closed"}', f"It answered {status}.")


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 507, 599, 600, 999, 101])
def test_a_breakdown_may_have_acted(status: int) -> None:
    detail = f"It answered {status}."
    assert of(status) == Outcome("unanswered", detail=detail)
    assert of(status, is_idempotent=True) == Outcome("failed", detail=detail, may_retry=True)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    there = {"location": "http://169.254.169.254/"}
    assert of(status, there).status == "unanswered"
    assert of(status, there).may_retry is False
    assert of(status, there, is_idempotent=True).status == "failed"
    assert of(status, there, is_idempotent=True).may_retry is False


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "wait_ms"),
    [
        ("0", 0),
        ("1", 1000),
        (" 30 ", 30_000),
        ("Thu, 01 Jan 2026 00:00:07 GMT", 7000),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("Thu, 01 Jan 2026 00:00:07 -0000", 0),
        ("", 0),
    ],
)
def test_the_time_that_it_asks_for_is_passed_on(status: int, said: str, wait_ms: int) -> None:
    headers = {"retry-after": said, "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    outcome = of(status, headers)
    assert (outcome.status, outcome.may_retry) == ("failed", True)
    assert outcome.retry_after_ms == wait_ms <= RETRY_AFTER_MS_MAX


def test_a_moment_means_nothing_without_their_own_date() -> None:
    assert of(429, {"retry-after": "Thu, 01 Jan 2099 00:00:00 GMT"}).retry_after_ms == 0


@pytest.mark.parametrize("said", ["31", "3600", "9" * 5000, "Fri, 01 Jan 2027 00:00:00 GMT"])
def test_nobody_waits_longer_than_a_caller_would(said: str) -> None:
    headers = {"retry-after": said, "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    outcome = of(503, headers, is_idempotent=True)
    assert (outcome.status, outcome.may_retry, outcome.retry_after_ms) == ("failed", False, 0)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (b"", "null"),
        (b" \r\n ", "null"),
        (b'{ "a": [1, 2.50, null] }', '{"a":[1,2.50,null]}'),
        (b"\xef\xbb\xbf{}", "{}"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"Saved.", '"Saved."'),
        (b"{broken", '"{broken"'),
        (b"<p>\xc3\xa9\xff</p>", '"<p>é\N{REPLACEMENT CHARACTER}</p>"'),
        (b"NaN", '"NaN"'),
        (b'"\\ud800"', '"\\"\\\\ud800\\""'),
        (b"1e999", '"1e999"'),
    ],
)
def test_the_answer_is_json_or_its_text_as_a_json_string(body: bytes, result: str) -> None:
    outcome = of(200, body=body)
    assert outcome == Outcome("succeeded", result)
    json.loads(outcome.result)


@pytest.mark.parametrize("levels", [NESTED_MAX + 1, 5000])
def test_an_answer_nested_too_deep_is_text(levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    assert json.loads(of(200, body=deep).result) == deep.decode()


def test_an_answer_nested_as_deep_as_may_be_is_json() -> None:
    deep = b'[{"a":' * (NESTED_MAX // 2) + b"1" + b"}]" * (NESTED_MAX // 2)
    assert of(200, body=deep).result == deep.decode()


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"x": "y" * RESULT_BYTES_MAX}).encode(),
        b"\x00" * 20_000,
        "🙂".encode() * 16_000,
        b'"' * 20_000,
    ],
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_an_answer_that_is_too_long_is_cut_and_says_so(body: bytes, *, is_whole: bool) -> None:
    outcome = of(200, body=body, is_whole=is_whole)
    assert (outcome.status, outcome.detail) == ("succeeded", CUT)
    assert len(outcome.result.encode()) <= RESULT_BYTES_MAX
    kept = json.loads(outcome.result)
    assert body.decode().startswith(kept)
    assert len(kept) > 2000


def test_an_answer_that_fits_exactly_is_whole() -> None:
    body = b'"' + b"x" * (RESULT_BYTES_MAX - 2) + b'"'
    assert of(200, body=body) == Outcome("succeeded", body.decode())
    assert of(200, body=b" " + body) == Outcome("succeeded", body.decode())


def test_a_packed_answer_is_not_unpacked() -> None:
    outcome = of(200, {"content-encoding": "gzip"}, b"\x1f\x8b")
    assert (outcome.status, outcome.result) == ("succeeded", "null")
    assert "packed" in outcome.detail
    assert of(200, {"content-encoding": "Identity"}, b"1").result == "1"


def test_a_value_becomes_json_text_within_the_limit() -> None:
    assert result_text({"a": 1}) == ('{"a":1}', True)
    text, is_all = result_text(["x" * RESULT_BYTES_MAX])
    assert not is_all
    assert json.loads(text).startswith('["xxx')
    nested: object = 1
    for _ in range(NESTED_MAX + 1):
        nested = [nested]
    assert result_text(nested) == (json.dumps(json.dumps(nested)), True)
    with pytest.raises(TypeError):
        result_text(object())
