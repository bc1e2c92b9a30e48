"""A second ear on the call: a stream that only listens, beside whatever the call does.

    <Start><Stream name="ear-3" track="inbound_track" url="…"><Parameter …/></Stream></Start>
    <Stop><Stream name="ear-1"/></Stop>                             one that is not needed any more

It is not bound to a verb: it hears the caller while one `<Connect>` has finished and the next has not
begun, while digits are played and while something is said. Nothing may be sent on it.
"""

import re

import msgspec
from twilio.twiml.voice_response import VoiceResponse

NAME_CHARACTERS_MAX = 64  # Twilio names no limit; ours are a word and a number

_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{NAME_CHARACTERS_MAX}}}")


class Ear(msgspec.Struct, frozen=True, kw_only=True):
    """One listening stream, and an earlier one that is to be stopped ("" for none).

    Names are unique within the call: a second `<Start>` does not replace the first, both go on, so
    the earlier one must be named to be stopped. `<Stop>` acts at once, while `<Start>` only begins to
    dial: for as long as that takes nobody would listen if the very last one were stopped.
    `parameters` come with the stream's `start`; they must fit as they are. ValueError for a name of
    other than 1 to 64 letters, digits, - and _.
    """

    name: str
    earlier: str = ""
    parameters: dict[str, str] = {}

    def __post_init__(self) -> None:
        for name in (self.name, self.earlier or "none"):
            if not _NAME.fullmatch(name):
                raise ValueError(f"An ear's name is 1 to {NAME_CHARACTERS_MAX} of A-Z a-z 0-9 _ -.")
        if self.name == self.earlier:
            raise ValueError("An ear can't stop itself.")


def opened(stream_url: str, ear: Ear | None) -> VoiceResponse:
    """Return a document in which `ear`, if there is one, begins to listen before anything else is done."""
    response = VoiceResponse()
    if ear is not None:
        stream = response.start().stream(url=stream_url, name=ear.name, track="inbound_track")
        for name, value in ear.parameters.items():
            stream.parameter(name=name, value=value)
        if ear.earlier:
            stop(response, ear.earlier)
    return response


def stop(response: VoiceResponse, name: str) -> None:
    """Stop a listening stream."""
    response.stop().stream(name=name)
