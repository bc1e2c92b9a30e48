import re
from hashlib import sha1
from pathlib import Path

import service.journal.redis.scripts
from service.journal.redis.scripts import LIFE, SCRIPTS, call_script, script

FOLDER = Path(service.journal.redis.scripts.__file__).parent


def test_every_lua_file_is_a_script_or_the_prelude() -> None:
    assert {path.stem for path in FOLDER.glob("*.lua")} == {*SCRIPTS, "prelude"}


def test_a_script_is_named_by_the_hash_that_the_server_will_find() -> None:
    for known in SCRIPTS.values():
        assert known.sha == sha1(known.text, usedforsecurity=False).hexdigest()


def test_a_script_says_first_whether_it_runs_when_memory_is_full() -> None:
    frees = {name for name, known in SCRIPTS.items() if b"allow-oom" in known.text.split(b"\n")[0]}
    assert frees == {"erase", "forget", "prune", "release", "sweep", "unlist"}
    assert all(known.text.startswith(b"#!lua") for known in SCRIPTS.values())


def test_scripts_touch_declared_keys_only() -> None:
    # A key made up inside a script would lie in another slot of a cluster.
    for name, known in SCRIPTS.items():
        text = known.text.decode()
        first_words = re.findall(r"redis\.call\('\w+', ([\w\[\]]+)", text)
        assert set(first_words) <= {"call", "records", "tokens", "KEYS[1]"}, name
        assert known.keys == (1 if name in ("unlist", "forget", "exchange") else 3)


def test_a_script_that_may_find_all_written_writes_it_anew() -> None:
    """R-1: a WAIT behind it then means what another connection wrote before, too."""
    for name in ("append", "claim", "open"):
        assert SCRIPTS[name].text.count(b"rewrite(") == 2, name


def test_a_script_is_called_by_its_hash() -> None:
    assert script("unlist", "key", 1) == ("EVALSHA", SCRIPTS["unlist"].sha, 1, "key", 1)


def test_a_call_script_begins_with_what_the_prelude_asks_for() -> None:
    command = call_script("lease", "CA1", 7, "owner", ttl_ms=100, now_ms=5)
    call = "stayline:{CA1}"
    assert command[2:9] == (3, call, f"{call}:records", f"{call}:tokens", 5, 105, 100)
    assert len(str(command[9])) == 16
    assert command[10:] == (LIFE, 7, "owner")
