"""Whether our clock agrees with another one: tokens and leases are only good among servers that agree."""

from service.commands.doctor.finding import Finding, State

# A lease is over two seconds late at most; a token is good 60 s beyond, for two servers that are each half off.
CARE_MS, WRONG_MS = 2_000, 30_000

ADVICE = "set this machine's clock (NTP)"


def judged(name: str, ahead_ms: int, whose: str) -> Finding:
    """Judge how far our clock is before another's; negative is behind."""
    off_ms = abs(ahead_ms)
    side = "ahead of" if ahead_ms > 0 else "behind"
    if off_ms < CARE_MS:
        return Finding(name, State.WELL, f"within 2 s of {whose}")
    state = State.CARE if off_ms < WRONG_MS else State.WRONG
    return Finding(name, state, f"{off_ms // 1000} s {side} {whose}", ADVICE)
