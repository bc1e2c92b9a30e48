"""What a model, or a person, has said of itself: its audio and words, kept until the caller has heard them.

A model speaks faster than anybody can listen, so most of an answer waits here. It outlives the stream: on
the next one the caller hears the rest, from the sample that was heard last. Another process has none of
it, and cuts the prompt to what was heard.
"""

from dataclasses import dataclass, field

from service.audio import samples
from service.call.events import Played
from service.speech.timing import word_ends, words_before

UNHEARD_MAX = samples(120_000)  # two minutes: no caller listens longer, and 1 MB a call is enough
PIECE_MAX = samples(1_000)  # so often it is written how far the caller has heard
PIECE_MIN = samples(100)  # less is not worth a message of its own while more is coming
SAMPLES_A_LETTER = 520  # 65 ms: while the end is not known, nobody is taken to speak faster


@dataclass
class _Spoken:
    audio: bytearray = field(default_factory=bytearray)
    text: str = ""
    heard: int = 0
    is_whole: bool = False
    is_ended: bool = False  # all of its audio is here, while its words may be to come
    is_forsaken: bool = False
    ends: tuple[int, ...] = ()

    @property
    def is_heard(self) -> bool:
        return self.is_whole and self.heard >= len(self.audio)

    def words_heard(self, reach: int) -> int:
        """Whole words of what was heard: for sure, or as is likely."""
        if self.is_whole:
            self.ends = self.ends or word_ends(self.text, bytes(self.audio))
            return words_before(self.ends, reach)
        letters = reach // SAMPLES_A_LETTER
        if self.audio:
            letters = min(letters, len(self.text) * min(reach, len(self.audio)) // len(self.audio))
        known, following = self.text[:letters], self.text[letters : letters + 1]
        is_word_whole = known[-1:].isspace() or following.isspace()
        return max(0, len(known.split()) - (0 if is_word_whole else 1))


class ModelVoice:
    """The model's prompts of one call that are not heard yet."""

    def __init__(self) -> None:
        self._spoken: dict[str, _Spoken] = {}

    def __contains__(self, prompt: str) -> bool:
        return prompt in self._spoken

    def begin(self, prompt: str) -> None:
        """A prompt begins."""
        self._spoken[prompt] = _Spoken()

    def add(self, prompt: str, ulaw: bytes) -> bool:
        """Take more audio. False when too much waits already; then the prompt ends there."""
        spoken = self._spoken.get(prompt)
        if spoken is None or spoken.is_whole:
            return True
        if len(spoken.audio) + len(ulaw) - spoken.heard > UNHEARD_MAX:
            spoken.is_whole = True
            return False
        spoken.audio += ulaw
        return True

    def tell(self, prompt: str, text: str, *, is_last: bool) -> None:
        """Take the words that are known; after the last of them no audio comes."""
        spoken = self._spoken.get(prompt)
        if spoken is not None and not spoken.is_whole:
            spoken.text, spoken.is_whole = text, is_last

    def end(self, prompt: str) -> None:
        """No more audio comes; the words are told later."""
        spoken = self._spoken.get(prompt)
        if spoken is not None:
            spoken.is_ended = True

    def forsake(self, prompt: str) -> None:
        """What was not heard of it is not said again; how far it was heard stays known."""
        spoken = self._spoken.get(prompt)
        if spoken is not None:
            spoken.is_forsaken = True

    def waiting(self, prompt: str) -> int:
        """How much of it is here and was not heard, as far as was told."""
        spoken = self._spoken.get(prompt)
        return 0 if spoken is None else len(spoken.audio) - spoken.heard

    def drop(self, prompt: str) -> None:
        """Nobody will hear any more of it."""
        self._spoken.pop(prompt, None)

    def is_heard(self, prompt: str) -> bool:
        """Whether it was heard to its end."""
        spoken = self._spoken.get(prompt)
        return spoken is not None and spoken.is_heard

    def heard_samples(self, prompt: str) -> int:
        """How much of it was heard, as far as was told."""
        spoken = self._spoken.get(prompt)
        return 0 if spoken is None else spoken.heard

    def take(self, prompt: str, at: int) -> bytes | None:
        """Return the next audio from sample `at` on: None while there is none, b"" at the end."""
        spoken = self._spoken.get(prompt)
        if spoken is None or spoken.is_forsaken:
            return None  # It will be cut, not taken for heard.
        piece = bytes(spoken.audio[at : at + PIECE_MAX])
        is_all = spoken.is_whole or spoken.is_ended
        return piece if is_all or len(piece) >= PIECE_MIN else None

    def played(self, prompt: str, *, heard: int, sent: int, queued: int, reach: int = 0) -> Played:
        """Return how far it got, in samples of the whole prompt, and what words that makes.

        It was heard so far for sure, and up to `reach` most likely.
        """
        spoken = self._spoken.get(prompt)
        if spoken is None:
            return Played(prompt=prompt, clauses=0)
        spoken.heard = max(spoken.heard, min(heard, len(spoken.audio)))
        return Played(
            prompt=prompt,
            clauses=1 if spoken.is_heard else 0,
            part_samples=0 if spoken.is_heard else spoken.heard,
            part_of_samples=0 if spoken.is_heard else len(spoken.audio),
            part_words=-1 if spoken.is_heard else spoken.words_heard(max(reach, spoken.heard)),
            synthesised_samples=max(queued, spoken.heard),
            sent_samples=max(sent, spoken.heard),
            heard_samples=spoken.heard,
        )
