from service.chaos.callers.chance import chance


def test_a_seed_repeats_what_it_drew() -> None:
    assert [chance(7).randrange(1_000) for _ in range(2)] == [chance(7).randrange(1_000)] * 2
    assert chance(7).random() != chance(8).random()
