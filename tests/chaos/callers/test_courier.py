import asyncio

import httpx2
import pytest

from service.chaos.callers.courier import Courier
from service.chaos.servers.server import free_port
from tests.chaos.deployment import Deployment
from tests.chaos.pair import far_end
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


async def test_a_request_has_a_connection_of_its_own(deployment: Deployment) -> None:
    async with httpx2.AsyncClient(transport=Courier()) as http:
        answer = await http.post(f"{deployment.url}/callbacks/call", data={"CallSid": "CA1"})
    assert answer.status_code == 204
    asked = deployment.at("/callbacks/call")[0]
    assert asked.fields == {"CallSid": "CA1"}
    assert asked.headers["connection"] == "close"


async def test_a_body_comes_whole(deployment: Deployment) -> None:
    deployment.documents["/thanks"] = "<Response>" + "x" * 100_000 + "</Response>"
    async with httpx2.AsyncClient(transport=Courier()) as http:
        answer = await http.post(f"{deployment.url}/thanks", data={"CallSid": "CA1"})
        assert answer.text == deployment.documents["/thanks"]
        assert answer.headers["content-type"].startswith("text/xml")


async def test_nobody_and_silence_are_errors_of_http() -> None:
    async with httpx2.AsyncClient(transport=Courier()) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"http://127.0.0.1:{free_port()}/")
        async with far_end() as far:
            asking = asyncio.create_task(http.get(f"http://127.0.0.1:{far.port}/"))
            await wait_until(lambda: far.writer is not None, description="it is asked")
            assert far.writer is not None
            far.writer.close()
            with pytest.raises(httpx2.RemoteProtocolError):
                await asking
