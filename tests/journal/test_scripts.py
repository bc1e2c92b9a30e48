import re
from hashlib import sha1
from pathlib import Path

import service.journal.scripts
from service.journal.scripts import SCRIPTS

FOLDER = Path(service.journal.scripts.__file__).parent


def test_every_lua_file_is_a_script_or_the_prelude() -> None:
    assert {path.stem for path in FOLDER.glob("*.lua")} == {*SCRIPTS, "prelude"}


def test_a_script_is_named_by_the_hash_that_the_server_will_find() -> None:
    for script in SCRIPTS.values():
        assert script.sha == sha1(script.text, usedforsecurity=False).hexdigest()


def test_a_script_says_first_whether_it_runs_when_memory_is_full() -> None:
    frees = {
        name for name, script in SCRIPTS.items() if b"allow-oom" in script.text.split(b"\n")[0]
    }
    assert frees == {"erase", "sweep", "unlist"}
    assert all(script.text.startswith(b"#!lua") for script in SCRIPTS.values())


def test_scripts_touch_declared_keys_only() -> None:
    # A key made up inside a script would lie in another slot of a cluster.
    for name, script in SCRIPTS.items():
        text = script.text.decode()
        first_words = re.findall(r"redis\.call\('\w+', ([\w\[\]]+)", text)
        assert set(first_words) <= {"call", "records", "tokens", "KEYS[1]"}, name
        assert script.keys == (1 if name == "unlist" else 3)
