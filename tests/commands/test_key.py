import json

import pytest

from service.commands.line import run
from service.trust.sealkeys import parsed


def test_a_fresh_key_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["key"]) == 0
    assert len(parsed([capsys.readouterr().out.strip()])) == 1
    assert run(["key", "--json"]) == 0
    assert len(parsed([json.loads(capsys.readouterr().out)["seal_key"]])) == 1
