from service.chaos.report import Report
from service.chaos.tally import FOUND_MAX, Tally


def test_waves_are_added_up_and_reported_as_one() -> None:
    tally, report = Tally(), Report("chaos")
    for wave in (1, 2):
        tally.spread("gap", [wave * 10])
        tally.count("codes", 0, at_least=1)
        tally.count("lost", [f"CA{wave}: gone"])
        tally.count("notes", wave, at_most=None)
    tally.into(report)
    assert tally.found() == ["CA1: gone", "CA2: gone"]
    assert report.figures["gap"] == {"n": 2, "p50": 20, "p99": 20, "worst": 20}
    assert report.figures["lost"] == 2
    assert report.figures["notes"] == 3
    assert report.broken == [
        "codes: 0, wanted >= 1",
        "lost: 2, wanted <= 0\n    CA1: gone\n    CA2: gone",
    ]


def test_all_is_counted_and_the_first_findings_are_kept() -> None:
    tally = Tally()
    for _ in range(2):
        tally.count("lost", ["gone"] * FOUND_MAX)
    row = tally._rows["lost"]
    assert not isinstance(row, list)
    assert (row.number, len(row.found)) == (2 * FOUND_MAX, FOUND_MAX)
