import io

import pytest

from service.chaos.run import Standing
from service.chaos.screen import Screen, bar, sentence

STANDING = Standing(
    phase="streams drop",
    dropped=5,
    wanted=10,
    live=3,
    calls=4,
    ended=0,
    notes=7,
    readings=8,
    resets=0,
)


def test_it_says_how_far_it_is() -> None:
    assert "5/10 drops, 3/4 calls live" in sentence(STANDING, 12)
    assert bar(STANDING).count("█") == len(bar(STANDING)) // 2


def test_without_a_terminal_a_plain_line_comes_now_and_then() -> None:
    out = io.StringIO()
    with Screen(out) as screen:
        screen.show(STANDING)
        screen._told_ms = screen._clock.now_ms()
        screen.show(STANDING)
    assert out.getvalue().count("\n") == 1


def test_at_a_terminal_one_line_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    out = io.StringIO()
    screen = Screen(out)
    screen._console._force_terminal = True
    with screen:
        screen.show(STANDING)
    assert "5/10 drops" in out.getvalue()
