"""A carrier whose API we don't speak: its calls are asked for something by letting their stream go.

    redirect, dial, record, hang up ──> the stream is closed ──> the carrier asks for the way back ──> the answer
    digits, ring                    ──> CarrierError: nothing stands for them

Its documents lead every stream that ends to /twiml/resume, where the journal says what is next: another
stream, a human, or the end. So a call ends a moment after its stream, by the document.
"""

from typing_extensions import override

from service.carrier import Outward
from service.clock import Clock
from service.errors import CallAway, CallGone, CarrierError
from service.journal.journal import Journal
from service.journal.values import Missing
from service.pages.lines import Lines

SPEECHLESS = ("telnyx", "plivo", "exotel")  # the carriers of which that is so
AWAY_MS_MAX = (
    60_000  # a carrier asks for the way back within seconds, and retries for a quarter of a minute
)
_DIGITS = ("<Play", "?play=")


class Closing(Outward):
    """Asks by closing what `lines` holds. Whether a call lives is only known by its coming back."""

    def __init__(self, lines: Lines, journal: Journal, clock: Clock) -> None:
        self._lines = lines
        self._journal = journal
        self._clock = clock

    @override
    async def run_twiml(self, call_sid: str, twiml: str) -> None:
        """See Outward. The document is asked for anew by the carrier, and is then the same."""
        await self._let_go(call_sid, twiml)

    @override
    async def redirect(self, call_sid: str, url: str) -> None:
        """See Outward."""
        await self._let_go(call_sid, url)

    async def _let_go(self, call_sid: str, what: str) -> None:
        if any(word in what for word in _DIGITS):
            raise CarrierError("this carrier can't be asked to send digits")
        await self._lines.call_back(call_sid)

    @override
    async def hang_up(self, call_sid: str) -> None:
        """See Outward."""
        await self._lines.end(call_sid)

    @override
    async def is_live(self, call_sid: str) -> bool:
        """See Outward. A call that is away for longer than AWAY_MS_MAX is taken for over."""
        reading = await self._journal.read(call_sid)
        if isinstance(reading, Missing) or not reading.records:
            raise CallGone("nothing is known of the call")
        until_ms = reading.records[-1].at_ms + AWAY_MS_MAX
        if self._clock.now_ms() < until_ms:
            raise CallAway("the carrier may come back to it", until_ms=until_ms)
        raise CallGone("the carrier did not come back to it")

    @override
    async def status(self, call_sid: str) -> str:
        """See Outward. Nobody can tell."""
        return ""

    @override
    async def ring(self, to: str, from_: str, *, url: str, status_url: str, timeout_s: int) -> str:
        """See Outward."""
        raise CarrierError("this carrier can't be asked to ring anybody")

    @override
    async def rung(self, to: str, from_: str, *, since_ms: int) -> str:
        """See Outward."""
        return ""
