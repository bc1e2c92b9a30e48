from service.meter import Meter


def test_everything_counted_is_in_the_text() -> None:
    meter = Meter()
    meter.calls_live.set(2)
    meter.calls_opened.inc()
    meter.streams.labels(cause="drop").inc()
    meter.gap_seconds.observe(0.8)
    meter.resume_seconds.observe(0.004)
    meter.refused.labels(door="media").inc()
    text = meter.text().decode()
    for line in (
        "stayline_calls_live 2.0",
        "stayline_calls_opened_total 1.0",
        'stayline_streams_attached_total{cause="drop"} 1.0',
        'stayline_gap_duration_seconds_bucket{le="1.0"} 1.0',
        'stayline_resume_duration_seconds_bucket{le="0.005"} 1.0',
        'stayline_refused_total{door="media"} 1.0',
        "stayline_calls_ended_total 0.0",
    ):
        assert f"\n{line}\n" in text


def test_every_name_is_ours() -> None:
    names = [line.split()[2] for line in Meter().text().decode().splitlines() if line[0] == "#"]
    assert names
    assert all(name.startswith("stayline_") for name in names)


def test_each_application_counts_for_itself() -> None:
    first, second = Meter(), Meter()
    first.fenced.inc()
    assert b"stayline_fenced_total 1.0" in first.text()
    assert b"stayline_fenced_total 0.0" in second.text()


def test_each_sample_is_found_by_its_name_and_its_labels_values() -> None:
    meter = Meter()
    meter.streams.labels(cause="drop").inc()
    samples = meter.samples()
    assert samples["stayline_streams_attached_total", "drop"] == 1
    assert samples["stayline_calls_live",] == 0
    assert len(samples) > len(list(meter.families()))
