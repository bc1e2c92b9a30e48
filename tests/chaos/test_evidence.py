import json
from pathlib import Path

import pytest

from service.chaos.callers.crowd import Crowd
from service.chaos.evidence import keep
from service.chaos.harms import Dropped
from service.chaos.network.lane import CALM
from service.chaos.network.link import Link
from service.testing.textspeech import spoken
from tests.chaos.judging.test_judge import heard

pytestmark = pytest.mark.asyncio


async def test_of_a_call_that_a_finding_names_all_is_kept(crowd: Crowd, tmp_path: Path) -> None:
    phone = await heard(crowd, spoken("Noted 017."))
    link = Link(CALM, crowd._chance, opened=lambda _link: None, now_ms=phone.now_ms)
    drops = [Dropped("fin", phone, 1, 5_000_000, link)]
    journals = {phone.call_sid: [{"position": 1, "kind": "greeted"}]}
    assert keep(tmp_path, ["CA1: gone"], [phone], drops, journals) == []
    (file,) = keep(tmp_path, [f"{phone.call_sid}\nits story"], [phone], drops, journals)
    told = json.loads(file.read_text())
    assert file.name == f"{phone.call_sid}.json"
    assert told["records"] == journals[phone.call_sid]
    assert told["drops"][0]["kind"] == "fin"
    assert told["drops"][0]["at_ms"] == 5_000
    (stream,) = told["streams"]
    assert [one.split()[1] for one in stream["heard"]] == ["Noted", "017."]
