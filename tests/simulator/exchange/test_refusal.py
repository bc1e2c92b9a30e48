import pytest
from starlette.requests import Request
from starlette.types import Message

from service.simulator.exchange.refusal import FORM_BYTES_MAX, Refusal, form_of


def request(body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.asyncio
async def test_a_form_is_read_within_bounds() -> None:
    assert await form_of(request(b"Url=http%3A%2F%2Fx&Twiml=")) == {"Url": "http://x", "Twiml": ""}
    with pytest.raises(Refusal) as long:
        await form_of(request(b"x" * (FORM_BYTES_MAX + 1)))
    assert (long.value.status, long.value.code) == (413, 20001)
    with pytest.raises(Refusal) as garbled:
        await form_of(request(b"\xff"))
    assert garbled.value.status == 400
