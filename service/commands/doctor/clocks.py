"""Whether our clock agrees with another one: tokens and leases are only good among servers that agree."""

from service.commands.doctor.finding import Finding, State

# A lease is over two seconds late at most; a token is good 60 s beyond, for two servers that are each half off.
CARE_MS, WRONG_MS = 2_000, 30_000
# A new call in an outage is known by its token's age, a second at most: half is the carrier's, a quarter each server's.
STORE_CARE_MS = 250

ADVICE = "set this machine's clock (NTP)"


def judged(name: str, ahead_ms: int, whose: str, care_ms: int = CARE_MS) -> Finding:
    """Judge how far our clock is before another's; negative is behind. Below `care_ms` all is well."""
    off_ms = abs(ahead_ms)
    side = "ahead of" if ahead_ms > 0 else "behind"
    if off_ms < care_ms:
        return Finding(name, State.WELL, f"within {care_ms / 1000:g} s of {whose}")
    state = State.CARE if off_ms < WRONG_MS else State.WRONG
    return Finding(name, state, f"{off_ms // 100 / 10:g} s {side} {whose}", ADVICE)
