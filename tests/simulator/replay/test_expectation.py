import pytest

from service.simulator.replay import expectation as e
from service.simulator.replay.api import Snapshot

SNAPSHOT = Snapshot(
    call={
        "phase": "live",
        "epoch": 3,
        "ended_at": None,
        "fields": {"ticket_id": {"value": "TKT-1234", "confirmed": True}},
        "parameters": {"company": "Acme"},
        "streams": [1, 2],
        "transcript": [],
    },
    records=[{"kind": "greeted"}, {"kind": "digit_pressed", "digit": "1"}],
)


@pytest.mark.parametrize(
    ("text", "is_met"),
    [
        ("greeted=1", True),
        ("greeted!=1", False),
        ("fields.ticket_id=TKT-1234", True),
        ("fields.ticket_id.confirmed=true", True),
        ("fields.ticket_id!=TKT-1", True),
        ("parameters.company=Acme", True),
        ("phase=live", True),
        ("phase>=3", False),
        ("streams>=3", True),
        ("streams<3", False),
        ("streams<=3", True),
        ("streams>3", False),
        ("transcript=0", True),
        ("epoch=3", True),
        ("context_lost=0", True),
        ("fields.name=Zoë", False),
        ("ended_at=0", True),
    ],
)
def test_names_are_looked_up_and_compared(text: str, is_met: bool) -> None:  # noqa: FBT001  a table
    expectation = e.parse(text)
    value = e.found_value(expectation.name, {"streams": 3}, SNAPSHOT)
    assert e.is_met(expectation, value) is is_met


def test_without_the_services_api_only_figures_are_known() -> None:
    assert e.found_value("greeted", {"streams": 3}, None) is None
    assert e.found_value("streams", {"streams": 3}, None) == 3


@pytest.mark.parametrize("text", ["", "greeted", "=1", "a b=1", "streams>=many"])
def test_what_is_no_expectation_is_one_clear_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"no expectation|no whole number"):
        e.parse(text)
