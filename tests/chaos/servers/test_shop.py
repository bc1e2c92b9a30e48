import asyncio
import json
from pathlib import Path

import httpx2
import pytest

from service.chaos.servers.shop import Shop
from service.testing.talker import TOOL
from service.tools import toolfile

pytestmark = pytest.mark.asyncio


async def test_an_effect_is_counted_by_its_call_and_code(tmp_path: Path) -> None:
    shop = Shop(works_s=0)
    await shop.start()
    shop.describe(tmp_path / "tools.json")
    (tool,) = toolfile.read(tmp_path / "tools.json", {})
    assert (tool.name, tool.idempotent) == (TOOL, False)
    url = json.loads((tmp_path / "tools.json").read_text())[0]["url"]
    async with httpx2.AsyncClient(trust_env=False) as http:

        async def book(code: str, key: str) -> int:
            headers = {"Stayline-Call": "CA1", "Idempotency-Key": key}
            return (await http.post(url, json={"code": code}, headers=headers)).status_code

        assert await book("007", "k1") == 200
        assert shop.doubles() == []
        assert await book("007", "k2") == 200
        assert shop.doubles() == ["CA1: 007 booked 2 times"]
        await book("017", "k2")
        assert "the key k2 was sent 2 times" in shop.doubles()
    assert not +shop.at_work
    shop.close()


async def test_nonsense_is_no_effect(tmp_path: Path) -> None:
    shop = Shop(works_s=0)
    await shop.start()
    shop.describe(tmp_path / "tools.json")
    port = httpx2.URL(json.loads((tmp_path / "tools.json").read_text())[0]["url"]).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]")
    assert await reader.read() == b""
    writer.close()
    assert not shop.effects
    shop.close()
