from prometheus_client import CollectorRegistry

from service.instruments import Continuity, Machine, Talking


def test_each_group_registers_its_instruments_under_names_of_ours_with_units() -> None:
    own = CollectorRegistry()
    for group in (Continuity, Talking, Machine):
        group(own)
    families = list(own.collect())
    assert len(families) == 14
    for family in families:
        assert family.name.startswith("stayline_")
        assert family.documentation
        assert family.type != "histogram" or family.name.endswith("_seconds")


def test_what_is_counted_is_read_again() -> None:
    own = CollectorRegistry()
    Continuity(own).context_losses.labels(kind="asked_again").inc()
    name, labels = "stayline_context_losses_total", {"kind": "asked_again"}
    assert own.get_sample_value(name, labels) == 1
