"""Twilio's side of one media stream, sans I/O: a playback buffer that plays in real time, and marks.

    receive(text) ──> buffer: audio, mark, audio … ──> plays 8 samples a millisecond ──> heard
                                    └── echo when all before it has played, or on `clear`

1. The buffer begins to play when something arrives; dry, it stands still and plays nothing.
2. A mark echoes when what was sent before it has played; at once when nothing is buffered; and, as
   documented, when `clear` empties the buffer (`clear_echoes`). `was_played` tells the two apart.
3. What is not one of the three documented messages, or has a field too many or too few, is dropped
   with warning 31951, a binary frame with 31950, audio beyond ten minutes with 31931.
4. Counters go out as strings, as Twilio writes them.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from typing import assert_never

import msgspec

from service.audio import SAMPLES_PER_MS, milliseconds, samples
from service.errors import RemoteProtocolError
from service.protocol import messages as m

BUFFER_MAX = samples(600_000)  # ten minutes, the one outbound limit that Twilio documents
WARNINGS_MAX = 100  # one is enough to fail a test; a flood must not fill the memory
BINARY, NON_COMPLIANT, DISCARDED = 31950, 31951, 31931


class Warned(msgspec.Struct, frozen=True):
    """Something that Twilio would report to the account's owner."""

    code: int
    text: str


class Leg:
    """One media stream. Times are milliseconds; positions inside are samples on the same clock."""

    def __init__(
        self,
        stream_sid: str,
        call_sid: str,
        account_sid: str,
        parameters: Mapping[str, str],
        *,
        clear_echoes: bool = True,
        echoes: bool = True,
    ) -> None:
        self.stream_sid = stream_sid
        self.call_sid = call_sid
        self.warnings: list[Warned] = []
        self.was_played: dict[str, bool] = {}
        self._account_sid = account_sid
        self._parameters = dict(parameters)
        self._clear_echoes = clear_echoes
        self._echoes = echoes
        self._sequence = 0
        self._chunk = 0
        self._timestamp = 0
        self._pieces: list[tuple[int, bytes]] = []
        self._marks: deque[tuple[int, str]] = deque()
        self._due: list[str] = []
        self._dry_at = 0

    def connected(self) -> str:
        """Return the first message."""
        return _written({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self) -> str:
        """Return `start`; the counters begin anew."""
        self._sequence = self._chunk = self._timestamp = 0
        body = {
            "accountSid": self._account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._parameters,
        }
        return self._numbered("start", start=body)

    def media(self, ulaw: bytes) -> str:
        """Return the caller's next audio."""
        self._chunk += 1
        body = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(milliseconds(self._timestamp)),
            "payload": b64encode(ulaw).decode(),
        }
        self._timestamp += len(ulaw)
        return self._numbered("media", media=body)

    def dtmf(self, digit: str) -> str:
        """Return one key of the caller."""
        return self._numbered("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def stop(self) -> str:
        """Return `stop`."""
        body = {"accountSid": self._account_sid, "callSid": self.call_sid}
        return self._numbered("stop", stop=body)

    def _numbered(self, event: str, **body: object) -> str:
        self._sequence += 1
        head = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid}
        return _written(head | body)

    def receive(self, text: str | bytes, now_ms: int) -> None:
        """Take one message of the service, bytes for a binary one.

        What Twilio would not take is warned of and dropped. Twilio warns once per stream, this model of
        every message, up to WARNINGS_MAX.
        """
        self._play(now_ms)
        # A NUL alone is how a line of text says "that was binary".
        if isinstance(text, bytes) or text == "\x00":
            self._warn(BINARY, "a binary message")
            return
        try:
            message = m.decode_outbound(text)
        except RemoteProtocolError as trouble:
            self._warn(NON_COMPLIANT, str(trouble))
            return
        if message.stream_sid != self.stream_sid:
            self._warn(NON_COMPLIANT, "the message names another stream")
            return
        match message:
            case m.Media():
                self.buffer(message.media.payload, now_ms)
            case m.Mark():
                self._marks.append((max(self._dry_at, now_ms * SAMPLES_PER_MS), message.mark.name))
                self._play(now_ms)
            case m.Clear():
                self._clear(now_ms)
            case _:
                assert_never(message)

    def buffer(self, ulaw: bytes, now_ms: int) -> None:
        """Take audio of the service, as `receive` does with a `media` message."""
        now = now_ms * SAMPLES_PER_MS
        begin = max(self._dry_at, now)
        if begin + len(ulaw) - now > BUFFER_MAX:
            self._warn(DISCARDED, "more than ten minutes are buffered")
            return
        self._pieces.append((begin, ulaw))
        self._dry_at = begin + len(ulaw)

    def _clear(self, now_ms: int) -> None:
        now = now_ms * SAMPLES_PER_MS
        self._pieces = self._cut(now)
        self._dry_at = min(self._dry_at, now)
        for _, name in self._marks:
            self.was_played[name] = False
            if self._clear_echoes:
                self._due.append(name)
        self._marks.clear()

    def _cut(self, at: int) -> list[tuple[int, bytes]]:
        return [(begin, ulaw[: at - begin]) for begin, ulaw in self._pieces if begin < at]

    def _play(self, now_ms: int) -> None:
        now = now_ms * SAMPLES_PER_MS
        while self._marks and self._marks[0][0] <= now:
            _, name = self._marks.popleft()
            self.was_played[name] = True
            self._due.append(name)

    def poll(self, now_ms: int) -> list[str]:
        """Return the echoes that are due by now."""
        self._play(now_ms)
        names, self._due = self._due, []
        if not self._echoes:
            return []
        return [self._numbered("mark", mark={"name": name}) for name in names]

    def deadline_ms(self) -> int | None:
        """Return when the next echo is due, None when no mark waits."""
        if self._due:
            return 0
        if not self._marks:
            return None
        return -(-self._marks[0][0] // SAMPLES_PER_MS)

    def heard(self, now_ms: int) -> list[tuple[int, bytes]]:
        """Return what the caller has heard by now: when each piece began, and its audio."""
        return [
            (begin // SAMPLES_PER_MS, ulaw) for begin, ulaw in self._cut(now_ms * SAMPLES_PER_MS)
        ]

    def forget(self) -> None:
        """Let go of all audio, when what was heard is kept elsewhere."""
        self._pieces.clear()

    def played(self, now_ms: int) -> int:
        """Return how many samples the caller has heard by now."""
        return sum(len(ulaw) for _, ulaw in self.heard(now_ms))

    def buffered(self, now_ms: int) -> int:
        """Return how many samples wait to be played."""
        return max(0, self._dry_at - now_ms * SAMPLES_PER_MS)

    def _warn(self, code: int, text: str) -> None:
        if len(self.warnings) < WARNINGS_MAX:
            self.warnings.append(Warned(code, text))


def _written(message: Mapping[str, object]) -> str:
    return msgspec.json.encode(message).decode()
