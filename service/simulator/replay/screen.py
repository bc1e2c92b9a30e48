"""The call as a person at a terminal sees it: one line an event, and below them, live, who speaks.

Without a terminal (a pipe, a build server) the same lines come plain, one an event, each at once.
"""

import asyncio
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from service.simulator.phone import Phone
from service.simulator.replay.api import Json
from service.simulator.replay.report import Report
from service.simulator.timeline import Event, Kind
from service.simulator.words import clock_text

REFRESH_MS = 120  # eight times a second looks live

_STYLES = {
    Kind.FAULT: "bold red",
    Kind.STREAM_ENDED: "red",
    Kind.STREAM_FAILED: "bold red",
    Kind.ASK_FAILED: "bold red",
    Kind.WARNING: "bold red",
    Kind.STALE_AUDIO: "bold red",
    Kind.STREAM_OPENED: "green",
    Kind.AGENT_BEGAN: "cyan",
    Kind.CALLER_BEGAN: "magenta",
    Kind.KEY: "magenta",
    Kind.DIGITS_SENT: "yellow",
    Kind.PAID: "yellow",
    Kind.ORDER: "yellow",
    Kind.DIAL_ENDED: "yellow",
    Kind.RECORDED: "magenta",
}


_VOICES = {"agent": "cyan", "caller": "magenta", "human": "yellow"}


def sentence(event: Event) -> str:
    """Say an event in words; "" for what happens too often to be shown."""
    back = f", {event.value} ms after the last one" if event.value else ""
    return {
        Kind.RANG: f"the phone rings: {event.text}",
        Kind.ASKED: f"the service answers {event.text} in {event.value} ms",
        Kind.ASK_FAILED: f"no document, error {event.value}: {event.text}",
        Kind.ANSWERED: "the call is answered",
        Kind.STREAM_OPENED: f"stream {event.stream} starts{back}: {event.text}",
        Kind.STREAM_FAILED: f"no stream, error {event.value}: {event.text}",
        Kind.STREAM_ENDED: f"stream {event.stream} ends: {event.text}",
        Kind.FORK_OPENED: f"a listening stream starts: {event.text}",
        Kind.FORK_FAILED: f"no listening stream {event.text}, error {event.value}",
        Kind.FORK_ENDED: f"a listening stream ends: {event.text}",
        Kind.FIRST_AUDIO: f"first audio after {event.value} ms",
        Kind.AGENT_BEGAN: "the agent speaks",
        Kind.AGENT_STOPPED: f"the agent is silent after {event.value} ms of speech",
        Kind.CALLER_BEGAN: f"the caller speaks: {event.text}",
        Kind.KEY: f"the caller presses {event.text}",
        Kind.KEY_LOST: f"the caller presses {event.text}, but no stream is there",
        Kind.DIGITS_SENT: f"digits {event.text} are sent",
        Kind.PAID: f"the carrier has asked for a card: {event.text}",
        Kind.CLEAR: "the service clears its audio",
        Kind.WARNING: f"WARNING {event.value}: {event.text}",
        Kind.STALE_AUDIO: f"STALE AUDIO on stream {event.stream}",
        Kind.FAULT: f"FAULT on stream {event.stream}: {event.text}",
        Kind.ORDER: f"the service redirects the call: {event.text}",
        Kind.DIAL_ENDED: f"the dialling ends: {event.text}"
        + (f", {event.value} ms of talk" if event.value else ""),
        Kind.RECORDED: f"the caller leaves a message of {event.value} ms: {event.text}",
        Kind.VERB: f"the carrier {event.text}",
        Kind.HUNG_UP: f"the call is over: {event.text}",
        Kind.NOTE: event.text,
    }.get(event.kind, "")


class Screen:
    """Shows one call while it runs, and its report."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out, highlight=False, soft_wrap=True)
        self._out = out

    async def watch(self, phone: Phone) -> None:
        """Show what happens until the call is over; cancelled or not, the terminal is left in order."""
        origin_ms = phone.now_ms()

        def show(event: Event) -> None:
            text = sentence(event)
            if text:
                since_ms = event.at_ms - (phone.timeline.origin_ms() or origin_ms)
                line = Text(f"{clock_text(since_ms):>10}  {text}", _STYLES.get(event.kind, ""))
                self._console.print(line)
                self._out.flush()

        for event in phone.timeline.events:
            show(event)
        phone.timeline.listen(show)
        if not self._console.is_terminal:
            await phone.finished()
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while not phone.is_over:
                live.update(_status(phone), refresh=True)
                await asyncio.sleep(REFRESH_MS / 1_000)

    def conclude(self, report: Report) -> None:
        """Show every expectation and whether it was met."""
        for finding in report.findings:
            if finding.is_met:
                self._console.print(Text(f"  ok      {finding.name}", "green"))
            else:
                self._console.print(Text(f"  FAILED  {finding.name}: {finding.text}", "bold red"))
        figures = report.figures
        self._console.print(
            f"  {figures['streams']} streams, {figures['drops']} drops, slowest return"
            f" {figures['gap_ms_max']} ms, then {figures['resume_ms_max']} ms to the first audio"
        )
        self._out.flush()

    def retell(self, call: Json) -> None:
        """Show what was said, as the service keeps it; what the caller did not hear stands apart."""
        self._console.print("  What was said:")
        for line in call.get("transcript", []):
            text, heard = str(line.get("text", "")), str(line.get("heard", ""))
            who = str(line.get("who", ""))
            shown = Text(f"  {who:>8}  {heard}", _VOICES.get(who, ""))
            if text != heard:
                rest = text.removeprefix(heard).strip()
                shown.append(f" [not heard: {rest}]", "dim")
            self._console.print(shown)
        fields = [
            f"{name} = {field.get('value')}" for name, field in call.get("fields", {}).items()
        ]
        if fields:
            self._console.print(Text(f"  What is known: {'; '.join(fields)}"))
        self._out.flush()


def _status(phone: Phone) -> Text:
    since_ms = phone.now_ms() - phone.timeline.origin_ms()
    status = Text(f"{clock_text(since_ms):>10}  ")
    place = f"stream {phone.streams}" if phone.is_live else "no stream"
    status.append(place, "green" if phone.is_live else "bold red")
    status.append("  agent ▮▮▮" if phone.agent_speaks else "  agent ···", "cyan")
    is_speaking = bool(phone.caller.utterances) and (
        phone.caller.utterances[-1].end_ms > phone.now_ms()
    )
    status.append("  caller ▮▮▮" if is_speaking else "  caller ···", "magenta")
    return status
