import msgspec
import pytest

from service.agent.realtime import events as o
from service.errors import BrainError


def test_what_concerns_us_is_read_and_the_rest_is_skipped() -> None:
    body = b'{"type": "input_audio_buffer.speech_started", "event_id": "e", "audio_start_ms": 12}'
    assert o.read(body) == o.SpeechStarted(12)
    assert o.read(b'{"type": "rate_limits.updated", "rate_limits": []}') is None
    assert o.read(b'{"type": "of.tomorrow", "delta": 7}') is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'{"type": 7}',
        b'{"type": "response.output_audio.delta"}',
        b'{"type": "response.done", "response": {"status": "happy"}}',
        b"[" * 5_000,
        b"\xff\xfe",
    ],
)
def test_what_can_not_be_read_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(BrainError, match="can't be read"):
        o.read(body)


def test_audio_is_base64() -> None:
    assert o.AudioDelta("i", "/38=").ulaw() == b"\xff\x7f"
    for wrong in ("/38", "nö", "/38=!"):
        with pytest.raises(BrainError, match="base64"):
            o.AudioDelta("i", wrong).ulaw()


@pytest.mark.parametrize(
    ("response", "trouble"),
    [
        ({"status": "completed"}, ""),
        ({"status": "cancelled", "status_details": {"reason": "turn_detected"}}, ""),
        ({"status": "failed"}, "failed"),
        (
            {"status": "failed", "status_details": {"error": {"type": "server_error"}}},
            "server_error",
        ),
        ({"status": "failed", "status_details": {"error": {"code": "quota"}}}, "quota"),
        (
            {"status": "incomplete", "status_details": {"reason": "content_filter"}},
            "content_filter",
        ),
        ({}, ""),
    ],
)
def test_an_answer_that_is_over_says_whether_it_was_one(
    response: dict[str, object], trouble: str
) -> None:
    done = o.read(msgspec.json.encode({"type": "response.done", "response": response}))
    assert isinstance(done, o.ResponseDone)
    assert done.trouble == trouble
