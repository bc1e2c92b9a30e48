"""One socket of another carrier: its words into Twilio's, and ours into its. Sans I/O.

    carrier ──text──> heard() ──Twilio's text──> Stream … Mouth ──Twilio's text──> told() ──text──> carrier

Everything behind it knows Twilio's messages alone, and Twilio's own sockets never come by here. It costs a
second reading of each message, which is what a dialect costs.
"""

import binascii
from typing import assert_never

import msgspec

from service import audio
from service.errors import RemoteProtocolError
from service.protocol import dialects, messages
from service.protocol.dialect import canonical, parameters
from service.protocol.dialects import Dialect
from service.protocol.reorder import Reorder

LINEAR_BYTES_MAX = 2 * messages.PAYLOAD_BYTES_MAX  # two bytes a sample


class Interpreter:
    """Speaks `dialect`; with None the `start` tells which.

    `token` is the stream's when it came with the path: carriers lose parameters, and no path.
    """

    def __init__(self, dialect: Dialect | None = None, token: str = "") -> None:
        self._dialect = dialect
        self._token = token
        self._reorder = Reorder()

    @property
    def dialect(self) -> Dialect:
        """What is spoken, as far as is known."""
        return self._dialect or dialects.TWILIO

    def heard(self, text: str | bytes) -> list[bytes]:
        """Return what a message says, in Twilio's words and in order: none, one, or several that waited.

        Raises RemoteProtocolError, and nothing else, for what can't be read.
        """
        message = messages.opened(text)
        event = message.get("event")
        if event == "start" and self._dialect is None:
            self._dialect = dialects.spoken(message)
        word = self.dialect.events.get(event, event) if isinstance(event, str) else event
        if word == "":
            return []
        said = {**canonical(message), "event": word}
        if word == "mark" and word != event:
            said["mark"] = dialects.echo(message)
        if word == "start":
            self._starts(said)
        if word == "media":
            return self._frame(said)
        return [*(self._reorder.rest() if word == "stop" else ()), _written(said)]

    def told(self, text: str) -> str:
        """Return a message of ours in the carrier's words."""
        ours = messages.decode_outbound(text)
        match ours:
            case messages.Media():
                payload = self._payload(ours.media.payload)
                theirs = dialects.media(self.dialect, ours.stream_sid, payload)
            case messages.Mark():
                theirs = dialects.mark(self.dialect, ours.stream_sid, ours.mark.name)
            case messages.Clear():
                theirs = dialects.clear(self.dialect, ours.stream_sid)
            case _:
                assert_never(ours)
        return _written(theirs).decode()

    def _starts(self, said: dict[str, object]) -> None:
        body = said.get("start")
        if not isinstance(body, dict):
            raise RemoteProtocolError("start has no body")
        told = {**dialects.beside(said), **parameters(body.get("customParameters"))}
        if self._token:
            told["token"] = self._token
        form = body.get("mediaFormat")
        if self.dialect.is_linear and isinstance(form, dict):
            # What is linear there is mu-law behind us; the rate and the channels stay the carrier's word.
            form = {**form, "encoding": dialects.MULAW}
        said["start"] = {
            **body,
            "customParameters": told,
            **({"mediaFormat": form} if form else {}),
        }

    def _frame(self, said: dict[str, object]) -> list[bytes]:
        body = said.get("media")
        if self.dialect.is_linear and isinstance(body, dict):
            said = {**said, "media": {**body, "payload": _from_linear(body.get("payload"))}}
        frame = _written(said)
        if not self.dialect.is_unordered or not isinstance(body, dict):
            return [frame]
        return self._reorder.feed(body.get("chunk"), frame)

    def _payload(self, ulaw: bytes) -> str:
        whole = ulaw + audio.silence(-len(ulaw) % self.dialect.step)
        sound = audio.decode(whole) if self.dialect.is_linear else whole
        return binascii.b2a_base64(sound, newline=False).decode()


def _from_linear(payload: object) -> str:
    """Return mu-law of 16-bit little-endian audio, both as base64."""
    if not isinstance(payload, str):
        raise RemoteProtocolError("media carries no audio")
    try:
        pcm = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError as error:
        raise RemoteProtocolError("the audio is not base64") from error
    if len(pcm) > LINEAR_BYTES_MAX:
        raise RemoteProtocolError(f"media carries more than {LINEAR_BYTES_MAX} bytes of audio")
    whole = pcm[: len(pcm) // 2 * 2]
    return binascii.b2a_base64(audio.encode(whole), newline=False).decode()


def _written(message: dict[str, object]) -> bytes:
    return msgspec.json.encode(message)
