"""One prompt on one stream: where it began here, what its clauses lasted, how far it was heard.

    clauses    |--heard before--|--heard here--|--the cut one--|--to come--|
               0              first         first+heard

Only whole clauses outlive the stream: on the next one the cut clause is said again from its beginning.
"""

from dataclasses import dataclass, field

from service.call.events import Played
from service.call.state import Prompt
from service.protocol.playout import Pointers
from service.speech.timing import word_ends, words_before


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

    def heard_to(self, clause: int) -> None:
        """Take note that a clause, counted in the whole prompt, was heard to its end."""
        self.heard = max(self.heard, clause - self.first + 1)

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
