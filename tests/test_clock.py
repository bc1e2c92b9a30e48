from service.clock import Clock, spent_us


class Hands:
    """A wall clock and a counter that a test sets."""

    def __init__(self) -> None:
        self.wall_ns = 1_700_000_000_000_000_000
        self.counter_ns = 5_000_000_000


def test_time_goes_on_with_the_counter_whatever_the_wall_clock_does() -> None:
    hands = Hands()
    clock = Clock(lambda: hands.wall_ns, lambda: hands.counter_ns)
    assert clock.now_ms() == 1_700_000_000_000
    hands.wall_ns -= 3_600_000_000_000
    hands.counter_ns += 1_999_999
    assert clock.now_ms() == 1_700_000_000_001
    assert clock.now_us() == 1_700_000_000_001_999


def test_the_real_clock_never_runs_back() -> None:
    clock = Clock()
    times = [clock.now_us() for _ in range(1_000)]
    assert times == sorted(times)
    assert clock.now_ms() > 1_700_000_000_000


def test_the_processors_time_of_a_thread_goes_on_with_its_work() -> None:
    before = spent_us()
    while spent_us() - before < 2_000:
        sum(range(1_000))
    assert spent_us() > before
