import io
import json
import logging
import sys

import pytest
from structlog.contextvars import bound_contextvars
from typing_extensions import override

from service import logs
from service.redaction import WITHHELD, own_words

pytestmark = pytest.mark.usefixtures("logging_of_others")


class Terminal(io.StringIO):
    """A place to write where a person reads."""

    @override
    def isatty(self) -> bool:
        """Yes, a person reads here."""
        return True


def shown(record: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = json.loads(logs.json_lines().format(record))
    return found


def scoped(record: logging.LogRecord, **scope: object) -> dict[str, object]:
    with bound_contextvars(**scope):
        return shown(record)


def record(text: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "service.x", "levelname": "WARNING", "msg": text})
    made.args = args
    made.created, made.msecs = 1_700_000_000.0071, 7.1
    vars(made).update(extra)
    return made


def test_a_line_is_one_json_object_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    line = logs.json_lines().format(
        record("= %s\nattached", own_words("stream"), action="attached", epoch=3)
    )
    assert "\n" not in line
    assert json.loads(line) == {
        "at": "2023-11-14T22:13:20.007Z",
        "level": "warning",
        "text": "= stream\nattached",
        "logger": "service.x",
        "action": "attached",
        "epoch": 3,
    }


def test_a_trace_is_part_of_the_line_without_the_text_of_the_error() -> None:
    with pytest.raises(ValueError, match="invalid") as wrong:
        int("no")
    trace = str(shown(record("!", exc_info=(wrong.type, wrong.value, wrong.tb)))["trace"])
    assert trace.startswith("ValueError:\n")
    assert "invalid" not in trace
    assert shown(record("!", exc_info=(None, None, None)))["trace"] == ""


def test_what_others_brought_is_withheld_wherever_it_stands() -> None:
    line = shown(record("%s", "Sarah", what={1, 2}, caller="Sarah", call_sid="CA" + "0f" * 16))
    assert line["text"] == line["what"] == line["caller"] == WITHHELD
    assert line["call_sid"] == "CA" + "0f" * 16
    assert shown(record("\ud800 é"))["text"] == "\ud800 é"


def test_a_line_tells_of_which_call_it_is_unless_it_says_so_itself() -> None:
    one, other = "CA" + "0f" * 16, "CA" + "1e" * 16
    assert scoped(record("!"), call_sid=one)["call_sid"] == one
    assert scoped(record("!", call_sid=other), call_sid=one)["call_sid"] == other
    assert "call_sid" not in shown(record("!"))


def test_what_others_bind_to_the_scope_is_withheld() -> None:
    assert scoped(record("!"), caller="Sarah", digits="4711")["caller"] == WITHHELD
    assert scoped(record("!"), call_sid="+491721234567")["call_sid"] == WITHHELD


def test_what_is_told_at_any_time_is_of_no_call() -> None:
    """The garbage collector finds a task that failed while some other call is at work."""
    call_sid = "CA" + "0f" * 16
    for name in ("asyncio", "py.warnings", "service.logs"):
        told = record("!")
        told.name = name
        assert "call_sid" not in scoped(told, call_sid=call_sid)


def test_neither_others_formatters_nor_a_name_of_ours_brings_a_line_back_in_full() -> None:
    told = record(
        "%s", "Sarah", message="Sarah", asctime="now", color_message="Sarah", event="Sarah"
    )
    line = shown(told)
    assert line["text"] == line["event"] == WITHHELD
    assert not {"message", "asctime", "color_message"} & line.keys()
    told = record("!", at="Sarah", logger="Sarah", _record="Sarah")
    assert shown(told) == shown(record("!"))


def test_a_line_of_structlogs_own_loggers_is_withheld_like_any_other() -> None:
    """An agent may have set structlog up for itself, on top of the standard library's logging."""
    told = record("!")
    told.name, told.msg = "agents.mine", {"event": "Sarah called", "caller": "Sarah"}
    vars(told).update(_logger=None, _name="info")
    line = shown(told)
    assert str(line["text"]).startswith(f"{WITHHELD} (")
    assert "Sarah" not in json.dumps(line)


@pytest.mark.parametrize(("place", "is_json"), [(io.StringIO(), True), (Terminal(), False)])
def test_lines_are_json_unless_a_person_reads(
    place: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, is_json: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", place)
    logs.set_up("INFO")
    logging.getLogger("service.x").info("= started")
    logging.getLogger("service.x").debug("never")
    logging.getLogger("httpx2").info("GET http://secret")
    (line,) = place.getvalue().splitlines()
    assert line.startswith("{") is is_json
    assert "= started" in line


def test_where_nobody_reads_any_more_a_line_is_lost_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", closed)
    logs.set_up("INFO")
    closed.close()
    logging.getLogger("x").error("! nobody hears this")
