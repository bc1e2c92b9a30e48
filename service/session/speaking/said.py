"""One prompt on one stream: where it began here, what its clauses lasted, how far it was heard.

    clauses    |--heard before--|--heard here--|--the cut one--|--to come--|
               0              first         first+heard

Only whole clauses outlive the stream: on the next one the cut clause is said again from its beginning. A
model's own speech has no clauses: it goes on from where it was heard last.
"""

from dataclasses import dataclass, field

from service.audio import samples
from service.call.events import Played
from service.call.state import Prompt
from service.protocol.orders import Pointers
from service.session.speaking.model_voice import ModelVoice
from service.speech.timing import word_ends, words_before

REPEAT = samples(100)  # half a syllable said twice is not noticed; one left out is

LIVE_PIECES = 10  # of 100 ms and more: once a second is often enough


@dataclass
class Said:
    """A prompt, and what became of it on this stream."""

    prompt: Prompt
    lengths: list[int] = field(default_factory=list)
    ends: list[tuple[int, ...]] = field(default_factory=list)
    heard: int = 0

    @property
    def first(self) -> int:
        """The clause that it began with here."""
        return self.prompt.clauses_heard

    @property
    def is_done(self) -> bool:
        """Whether it was heard to its end."""
        return self.first + self.heard >= len(self.prompt.clauses)

    def rendered(self, text: str, audio: bytes) -> None:
        """Take note of the next clause's audio."""
        self.lengths.append(len(audio))
        self.ends.append(word_ends(text, audio))

    def heard_to(self, clause: int) -> bool:
        """Take note that a clause, counted in the whole prompt, was heard to its end: worth writing."""
        self.heard = max(self.heard, clause - self.first + 1)
        return True

    def played(self, at: Pointers) -> Played:
        """Return how far the whole prompt got, from how far it got here."""
        before, done = self.prompt.done_samples, sum(self.lengths[: self.heard])
        whole = self.lengths[self.heard] if self.heard < len(self.lengths) else 0
        part = min(max(0, at.heard - done), whole)  # For sure; the words by what is likely.
        return Played(
            prompt=self.prompt.prompt,
            clauses=self.first + self.heard,
            part_samples=part,
            part_of_samples=whole,
            part_words=words_before(self.ends[self.heard], at.reach - done) if whole else -1,
            synthesised_samples=before + at.synthesised,
            sent_samples=before + at.sent,
            heard_samples=before + done + part,
        )


@dataclass
class Lent:
    """A prompt that a model says itself, taken from its voice piece by piece."""

    prompt: Prompt
    voice: ModelVoice
    taken: int = 0
    pieces: int = 0
    is_done: bool = False
    begin: int = 0
    is_out: bool = False

    def __post_init__(self) -> None:
        """It goes on where it was heard to, which the voice may know better than what was written.

        A little before, rather: what was on the way when the last stream broke can't be known to the
        sample, and nothing is left out.
        """
        told = self.voice.heard_samples(self.prompt.prompt)
        self.begin = max(0, max(self.prompt.heard_samples, told) - REPEAT)

    def take(self) -> bytes | None:
        """Return the next piece: None while there is none, b"" after the last."""
        piece = self.voice.take(self.prompt.prompt, self.begin + self.taken)
        if piece:
            self.taken += len(piece)
            self.pieces += 1
        self.is_out = piece == b""
        return piece

    def heard_to(self, piece: int) -> bool:
        """Whether it is worth writing that a piece was heard: a live voice's pieces are small."""
        is_last = self.is_out and piece >= self.pieces
        return is_last or self.prompt.voice == "model" or piece % LIVE_PIECES == 0

    def played(self, at: Pointers) -> Played:
        """Return how far the whole prompt got, from how far it got here."""
        before = self.begin
        got = self.voice.played(
            self.prompt.prompt,
            heard=before + at.heard,
            reach=before + at.reach,
            sent=before + at.sent,
            queued=before + at.synthesised,
        )
        self.is_done = self.is_done or got.clauses > 0
        return got
