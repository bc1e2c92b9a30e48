import io

import pytest
from typing_extensions import override

from service.simulator.exchange.exchange import Exchange
from service.simulator.replay import screen as s
from service.simulator.replay.report import Outcome, judge
from service.simulator.timeline import Event, Kind, Timeline


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


async def watched(exchange: Exchange, out: io.StringIO, awaited: str) -> list[str]:
    phone = await exchange.call()
    screen = s.Screen(out)
    await phone.until(lambda it: it.timeline.count(Kind.RANG) == 1, "the phone rings")
    phone.spawn(screen.watch(phone))
    await phone.until(lambda _: awaited in out.getvalue(), "it is shown")
    await phone.caller.drop("reset")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    await phone.hang_up()
    screen.conclude(judge(Outcome(timeline=phone.timeline, ended_by=phone.course.ended_by)))
    return out.getvalue().splitlines()


@pytest.mark.asyncio
async def test_without_a_terminal_every_event_is_one_plain_line(exchange: Exchange) -> None:
    lines = await watched(exchange, io.StringIO(), "the agent speaks")
    assert lines[0].endswith(" the phone rings: " + next(iter(exchange.phones)))
    assert any("FAULT on stream 1: reset" in line for line in lines)
    assert any("stream 2 starts, " in line for line in lines)
    assert any("  ok      the agent spoke" in line for line in lines)
    assert not any("\x1b" in line for line in lines)


@pytest.mark.asyncio
async def test_on_a_terminal_a_live_line_shows_who_speaks(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    text = "\n".join(await watched(exchange, Terminal(), "agent ▮▮▮"))
    assert "FAULT on stream 1: reset" in text
    assert "stream 1" in text


def test_what_was_said_is_told_again_and_the_unheard_stands_apart() -> None:
    out = io.StringIO()
    s.Screen(out).retell(
        {
            "transcript": [
                {"who": "agent", "text": "Hello, who is there?", "heard": "Hello,"},
                {"who": "caller", "text": "It's me.", "heard": "It's me."},
            ],
            "fields": {"name": {"value": "Ann"}},
        }
    )
    told = out.getvalue()
    assert "agent  Hello, [not heard: who is there?]" in told
    assert "caller  It's me." in told
    assert "What is known: name = Ann" in told


def test_what_failed_is_shown_with_its_reason() -> None:
    out = io.StringIO()
    s.Screen(out).conclude(judge(Outcome(timeline=Timeline(), ended_by="nobody was there")))
    assert "FAILED  the call was answered: nobody was there" in out.getvalue()


@pytest.mark.parametrize("kind", Kind)
def test_only_the_frequent_events_are_silent(kind: Kind) -> None:
    is_silent = not s.sentence(Event(0, kind, "text", 1, 5))
    assert is_silent is (kind in {Kind.MARK, Kind.CALLBACK, Kind.CALLER_STOPPED})
