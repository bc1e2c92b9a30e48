"""A second ear on the call: a stream that only listens, beside whatever the call does.

    <Start><Stream name="ear-3" track="inbound_track" url="…"><Parameter …/></Stream></Start>
    <Stop><Stream name="ear-2"/></Stop>                       the one before, once this one was begun

It is not bound to a verb: it hears the caller while one `<Connect>` has finished and the next has not
begun, while digits are played and while something is said. Nothing may be sent on it.
"""

import re

import msgspec
from twilio.twiml.voice_response import VoiceResponse

NAME_CHARACTERS_MAX = 64  # Twilio names no limit; ours are a word and a number

_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{NAME_CHARACTERS_MAX}}}")


class Ear(msgspec.Struct, frozen=True, kw_only=True):
    """One listening stream, and the one that it takes the place of ("" for none).

    Names are unique within the call: a second `<Start>` does not replace the first, both go on, so the
    one before must be named to be stopped. ValueError for a name of other than 1 to 64 letters, digits,
    - and _. `parameters` come with the stream's `start`; they must fit as they are.
    """

    name: str
    before: str = ""
    parameters: dict[str, str] = {}

    def __post_init__(self) -> None:
        for name in (self.name, self.before or "none"):
            if not _NAME.fullmatch(name):
                raise ValueError(f"An ear's name is 1 to {NAME_CHARACTERS_MAX} of A-Z a-z 0-9 _ -.")
        if self.name == self.before:
            raise ValueError("An ear can't take its own place.")


def begin(response: VoiceResponse, stream_url: str, ear: Ear) -> None:
    """Begin to listen, then stop the one before: for a moment both hear, so that nothing is missed."""
    stream = response.start().stream(url=stream_url, name=ear.name, track="inbound_track")
    for name, value in ear.parameters.items():
        stream.parameter(name=name, value=value)
    if ear.before:
        stop(response, ear.before)


def stop(response: VoiceResponse, name: str) -> None:
    """Stop a listening stream."""
    response.stop().stream(name=name)
