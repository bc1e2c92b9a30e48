"""What a replay found, counted and told."""

import json

from service.call import events as e
from service.call.replay.report import DIVERGENCES_MAX, Divergence, Report, Tally

PLACE = Divergence(7, "Woke {}", '{"kind":"caller_silent"}', "nothing")


def test_kinds_whose_input_is_not_known_are_counted() -> None:
    tally = Tally()
    tally.untold(e.CallerSilent())
    tally.untold(e.CallerSilent())
    assert tally.unread == {"caller_silent": 2}


def test_a_call_that_parts_often_is_told_by_its_first_divergences() -> None:
    tally = Tally()
    for _ in range(DIVERGENCES_MAX + 5):
        tally.diverge(PLACE, 2)
    assert (tally.parted, len(tally.divergences)) == (2 * DIVERGENCES_MAX + 10, DIVERGENCES_MAX)


def test_a_report_says_whether_all_is_the_same() -> None:
    same = Report("CA1", 5, Tally(followed=2, given=3), "recorded", "00", is_state_same=None)
    assert (same.is_same, same.compared) == (True, 5)
    assert not Report("CA1", 5, Tally(), "recorded", "00", is_state_same=False).is_same
    parted = Tally(given=1)
    parted.diverge(PLACE, 1)
    other = Report("CA1", 2, parted, "supposed", "00", is_state_same=True)
    assert not other.is_same
    told = json.loads(json.dumps(other.as_json()))
    assert told["is_same"] is False
    assert told["compared"] == 1
    assert told["tally"]["divergences"][0]["position"] == 7
