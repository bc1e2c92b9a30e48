"""O-6: an outage is loud, once; so is its end."""

import logging

import pytest

from service.journal.behind.arrears import Arrears
from service.journal.behind.herald import Herald
from service.meter import Meter

NONE = Arrears(0, 0, 0, 0, is_full=False)
BEHIND = Arrears(3, 40, 5_000, 9_000, is_full=False)


def test_the_beginning_is_an_error_and_the_end_says_how_long_and_how_many(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    meter = Meter()
    herald = Herald(meter)
    herald.look(NONE, is_answering=True, is_whole=True, now_ms=1_000)
    assert herald.is_calm
    for now_ms in (2_000, 3_000, 4_000):
        herald.look(BEHIND, is_answering=False, is_whole=True, now_ms=now_ms)
    assert b"stayline_store_degraded 1.0" in meter.text()
    assert b"stayline_store_behind_records 40.0" in meter.text()
    assert b"stayline_store_behind_calls 3.0" in meter.text()
    herald.flushed(40)
    herald.look(NONE, is_answering=True, is_whole=True, now_ms=32_000)
    assert [(one.levelname, one.message) for one in caplog.records] == [
        ("ERROR", "! the store is degraded: 3 calls go on without it, 40 records wait"),
        ("INFO", "= the store is whole again after 30000 ms; 40 records were flushed"),
    ]
    text = meter.text()
    assert b"stayline_store_degraded 0.0" in text
    assert b"stayline_store_flushed_total 40.0" in text


def test_what_happens_is_counted() -> None:
    meter = Meter()
    herald = Herald(meter)
    herald.failed()
    herald.branched()
    herald.orphaned()
    text = meter.text()
    for name in (b"store_errors", b"store_branches", b"store_orphans"):
        assert b"stayline_" + name + b"_total 1.0" in text
