"""What a person in the agent's place does with their own voice, as `decide` is told it.

Their words, and how far they were heard, are told like a model's: `ModelContinued`, `Progress`.
"""

import msgspec


class PersonBegan(msgspec.Struct, frozen=True):
    """The person who has `seat` begins to speak: the first sound of `prompt` is here."""

    prompt: str
    seat: str


class PersonMissed(msgspec.Struct, frozen=True):
    """The caller hears no more of what a person said: nobody says it again."""

    prompt: str
