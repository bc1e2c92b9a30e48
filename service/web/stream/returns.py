"""How often each call asked for its way back, lately.

A stream that is refused every time (another account's, an address that fits no signature) never
attaches, so its journal shows no drop; the carrier would ask for the way back for ever. This count is
of the asking itself. It is this process's alone, and only a breaker: losing it costs a few more rounds.
"""

from collections import OrderedDict, deque

CALLS_MAX = 10_000  # the calls asking at the same time; beyond that the oldest are forgotten
ROUNDS_A_DROP = 2  # a planned restart asks too, and Twilio may ask twice for one end


class Returns:
    """Counts within a sliding window."""

    def __init__(self, drops_max: int, window_ms: int) -> None:
        self._rounds_max = drops_max * ROUNDS_A_DROP
        self._window_ms = window_ms
        self._asked: OrderedDict[str, deque[int]] = OrderedDict()

    def is_circling(self, call_sid: str, now_ms: int) -> bool:
        """Note that the call asks; whether it has asked too often within the window."""
        asked = self._asked.setdefault(call_sid, deque(maxlen=self._rounds_max + 1))
        self._asked.move_to_end(call_sid)
        if len(self._asked) > CALLS_MAX:
            self._asked.popitem(last=False)
        asked.append(now_ms)
        return len(asked) > self._rounds_max and asked[0] > now_ms - self._window_ms
