import pytest

from service.chaos.callers.wire import NO_CLOSE_FRAME, Refused, dial
from service.chaos.servers.server import free_port
from tests.chaos.deployment import Deployment
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


def place(deployment: Deployment) -> str:
    return deployment.url.replace("http", "ws") + "/media"


async def test_texts_of_every_length_go_both_ways(deployment: Deployment) -> None:
    wire = await dial(place(deployment), {"X-Twilio-Signature": "s"})
    heard: list[bytes] = []
    ends: list[int] = []
    wire.listen(heard.append, ends.append)
    texts = [f'{{"event":"{"x" * length}"}}' for length in (1, 200, 70_000)]
    for text in texts:
        wire.send(text)
    wire.send('{"event":"dtmf","dtmf":{"digit":"1"}}')
    await wait_until(lambda: len(heard) == 2, description="it answers the key")
    stream = deployment.streams[0]
    assert [len(one["event"]) for one in stream.messages] == [1, 200, 70_000, 4]
    assert stream.headers["x-twilio-signature"] == "s"
    await deployment.sockets[0].close(1012)
    await wait_until(lambda: ends == [1012], description="it hears the end")


async def test_a_reset_has_no_close_frame_and_a_close_has_its_code(deployment: Deployment) -> None:
    reset, closed = [await dial(place(deployment), {}) for _ in range(2)]
    ends: list[int] = []
    reset.listen(lambda _: None, ends.append)
    reset.freeze()
    reset.reset()
    closed.close(1001)
    await wait_until(lambda: ends == [NO_CLOSE_FRAME], description="the reset is known here")
    await wait_until(
        lambda: deployment.streams[1].code == 1001, description="the other end knows the code"
    )
    late: list[int] = []
    closed.send("lost")
    reset.listen(lambda _: None, late.append)
    assert late == [NO_CLOSE_FRAME]


async def test_a_refusal_is_told_with_its_status(deployment: Deployment) -> None:
    deployment.refuses = 1
    with pytest.raises(Refused) as refused:
        await dial(place(deployment), {})
    assert refused.value.status == 403
    with pytest.raises(OSError, match="Connect"):
        await dial(f"ws://127.0.0.1:{free_port()}/media", {})


async def test_a_proxy_may_stand_before_it(deployment: Deployment) -> None:
    host, _, port = deployment.url.removeprefix("http://").partition(":")
    wire = await dial("ws://elsewhere.invalid/media", {}, via=(host, int(port)))
    assert wire.name[0] == "127.0.0.1"
    assert deployment.streams[0].headers["host"] == "elsewhere.invalid"
    wire.reset()
