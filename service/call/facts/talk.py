"""The facts of the talk: what we said and how far it was heard, what the caller said and keyed."""

from service.call.facts.fact import Fact, Voice, Who


class Greeted(Fact, frozen=True):
    """The greeting was decided on. At most once in a call's life."""

    prompt: str


class AgentSpoke(Fact, frozen=True):
    """A prompt: what we mean to say, in clauses. Heard is another matter (`Played`).

    `asks` names the field the prompt asks for. `who` is "human" for lines that a person typed, and
    `request` then names what they asked. `turn` is the turn it answers, 0 for none. `voice` is
    "model" when a speech-to-speech model says it itself, and "person" when somebody in the agent's
    place does, live; its words may become known while it is heard, and until then the prompt is open.
    """

    prompt: str
    clauses: tuple[str, ...]
    asks: str = ""
    who: Who = "agent"
    request: str = ""
    turn: int = 0
    voice: Voice = "ours"
    is_open: bool = False


class AgentContinued(Fact, frozen=True):
    """More is known of an open prompt: these clauses take the place of those it had."""

    prompt: str
    clauses: tuple[str, ...]
    is_last: bool = False


class Played(Fact, frozen=True):
    """How far a prompt got. All counts in samples of the whole prompt; never claims the unheard.

    `clauses` were heard to their end; of the next one, `part_samples` out of `part_of_samples`, and
    `part_words` whole words of it, or -1 when nobody knows.
    """

    prompt: str
    clauses: int
    part_samples: int = 0
    part_of_samples: int = 0
    part_words: int = -1
    synthesised_samples: int = 0
    sent_samples: int = 0
    heard_samples: int = 0


class SpeechCut(Fact, frozen=True):
    """The rest of a prompt was given up. `reason`: barge_in, key, replaced, taken_over, lost, missed.

    "lost" is a model's own speech whose audio went with its process: the model is asked to go on.
    "missed" is a person's own speech that the caller's stream was not there for.
    """

    prompt: str
    reason: str


class CallerBegan(Fact, frozen=True):
    """The caller began to speak."""


class CallerPartlyHeard(Fact, frozen=True):
    """What the caller has said so far; the utterance goes on."""

    text: str


class CallerSpoke(Fact, frozen=True):
    """The caller said something.

    `partial`: the stream went before the utterance ended. `backchannel`: an "mm-hm" over our words,
    which asks for no answer. `before` names the prompt that already answers it: a speech-to-speech
    model may write down what it heard after it answered.
    """

    text: str
    confidence_milli: int = 1000
    duration_ms: int = 0
    partial: bool = False
    backchannel: bool = False
    before: str = ""


class CallerSilent(Fact, frozen=True):
    """We asked, and nobody answered for a while."""


LEVEL_STEP_MS = 100


class LevelsMeasured(Fact, frozen=True):
    """How loud both sides were from `at_ms` on, one byte each LEVEL_STEP_MS, in base64.

    0 is -60 dB of full scale or less, 255 full scale. Only people look at it: it changes nothing.
    """

    at_ms: int
    caller: str
    ours: str


class DigitPressed(Fact, frozen=True):
    """The caller pressed one key."""

    digit: str


class DigitsEntered(Fact, frozen=True):
    """A row of keys is complete: by `#`, or by a pause."""

    digits: str
    ended_by: str
