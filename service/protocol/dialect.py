"""How other carriers spell Twilio's messages.

Providers that speak "Twilio-compatible" Media Streams differ in small ways: snake_case names, other
words for the same identifier, counters that are no numbers, custom parameters as a string of JSON.
`canonical` turns such a message into the shape that messages.py describes. It is the slow path: it
runs only when the plain reading failed or left a message without its identifiers.

1. Twilio's own name wins over a look-alike; an empty identifier counts as missing.
2. An optional field of a wrong type is left out: no call ends over a counter nobody needs.
3. A required field is never made up; messages.py refuses the message when it stays missing.
"""

from collections.abc import Callable

import msgspec

# What a name is once underscores and capitals are gone, and Twilio's word for it.
WORDS = {
    "streamsid": "streamSid",
    "streamid": "streamSid",
    "callsid": "callSid",
    "callid": "callSid",
    "callcontrolid": "callSid",  # Telnyx
    "accountsid": "accountSid",
    "accountid": "accountSid",
    "sequencenumber": "sequenceNumber",
    "customparameters": "customParameters",
    "mediaformat": "mediaFormat",
    "samplerate": "sampleRate",
}


def canonical(message: dict[str, object]) -> dict[str, object]:
    """Return `message` in Twilio's words.

    The stream's identifier of a `start` may stand in its body alone (Plivo, Exotel); it is lifted to the top,
    where every other message has it.
    """
    fields = _fields(message)
    start = fields.get("start")
    if isinstance(start, dict) and "streamSid" in start:
        fields.setdefault("streamSid", start["streamSid"])
    return fields


def parameters(value: object) -> dict[str, str]:
    """Return custom parameters as texts by name: from a dict, from JSON of a dict, else none."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return {}
    if not isinstance(value, dict):
        return {}
    return {str(name): _text(content) for name, content in value.items()}


def _fields(body: dict[str, object]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in body.items():
        word = WORDS.get(name.replace("_", "").lower(), name)
        if word != name and word in fields:
            continue
        read = READERS.get(word)
        kept = value if read is None else read(value)
        if kept is not None:
            fields[word] = kept
    return fields


def _body(value: object) -> dict[str, object] | None:
    return _fields(value) if isinstance(value, dict) else None


def _counter(value: object) -> int | None:
    try:
        return msgspec.convert(value, int, strict=False)
    except msgspec.ValidationError:
        return None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


READERS: dict[str, Callable[[object], object]] = {
    "accountSid": _name,
    "callSid": _name,
    "channels": _counter,
    "chunk": _counter,
    "customParameters": parameters,
    "dtmf": _body,
    "encoding": _name,
    "mark": _body,
    "media": _body,
    "mediaFormat": _body,
    "protocol": _name,
    "sampleRate": _counter,
    "sequenceNumber": _counter,
    "start": _body,
    "stop": _body,
    "streamSid": _name,
    "timestamp": _counter,
    "track": _name,
    "tracks": _names,
    "version": _name,
}
