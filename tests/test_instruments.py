from typing import get_args

from prometheus_client import CollectorRegistry, Counter

from service.call.facts.fact import Cause
from service.call.shown.incidents import KINDS
from service.call.survival import SURVIVALS
from service.instruments import CAUSES, LOSSES, OUTCOMES, Continuity, Group, begun


def test_each_group_registers_its_instruments_under_names_of_ours_with_units() -> None:
    own = CollectorRegistry()
    for group in get_args(Group):
        group(own)
    families = list(own.collect())
    assert len(families) == 36
    for family in families:
        assert family.name.startswith("stayline_")
        assert family.documentation
        assert family.type != "histogram" or family.name.endswith("_seconds")


def test_what_is_counted_is_read_again() -> None:
    own = CollectorRegistry()
    Continuity(own).context_losses.labels(kind="asked_again").inc()
    name, labels = "stayline_context_losses_total", {"kind": "asked_again"}
    assert own.get_sample_value(name, labels) == 1


def test_all_values_of_a_label_stand_at_nought_from_the_beginning() -> None:
    own = CollectorRegistry()
    begun(Counter("x", "what", ["kind"], registry=own), ("one", "two"))
    assert [own.get_sample_value("x_total", {"kind": one}) for one in ("one", "two")] == [0, 0]


def test_the_values_are_those_that_the_call_knows() -> None:
    assert get_args(Cause) == CAUSES
    assert KINDS == LOSSES
    assert sorted(SURVIVALS) == sorted(OUTCOMES)
