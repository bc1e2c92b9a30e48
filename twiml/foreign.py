"""Our documents in the markup of other carriers, made from the TwiML that we would have answered.

    cxml     SignalWire   TwiML, the stream's token also in its path
    texml    Telnyx       the same; <Stream> says how audio goes, and <Connect> has no action there
    plivo    Plivo XML    <Stream> is a verb with the address as its text, <Say> is <Speak> …
    exotel   JSON         the address of the socket is all that a Voicebot applet asks for

Rules of this file:
1. A stream's token stands at the end of its path: there it survives with every carrier.
2. The fragment that tells Twilio how often to ask again is Twilio's alone and is left out.
3. A way back stays in each document: where `action` is not known, the next verb is it.
"""

import json
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

TOKEN = "token"  # noqa: S105 - the name of the parameter, not a token

# Twilio's verb and attributes: Plivo's. What is not named here Plivo has under the same name.
_PLIVO_VERBS = {"Say": "Speak", "Pause": "Wait", "Client": "User", "Sip": "User"}


def cxml(document: str) -> str:
    """Return the document for SignalWire."""
    root = _read(document)
    for stream in root.iter("Stream"):
        _lead(stream)
    return _text(root)


def texml(document: str) -> str:
    """Return the document for Telnyx. Custom parameters are not documented there and are left out."""
    root = _read(document)
    for connect in root.iter("Connect"):
        connect.attrib.pop("action", None)
        connect.attrib.pop("method", None)
    for stream in root.iter("Stream"):
        _lead(stream)
        for parameter in stream.findall("Parameter"):
            stream.remove(parameter)
        stream.set("codec", "PCMU")
        stream.set("bidirectionalMode", "rtp")
        stream.set("bidirectionalCodec", "PCMU")
    return _text(root)


def plivo(document: str) -> str:
    """Return the document in Plivo XML."""
    made = Element("Response")
    for verb in _read(document):
        if verb.tag == "Connect":
            made.append(_plivo_stream(verb))
        elif verb.tag == "Play":
            SubElement(made, "DTMF").text = verb.get("digits")
        else:
            made.append(_plivo_verb(verb))
    return _text(made)


def exotel(document: str) -> str:
    """Return the address of the socket as JSON, "" where the document opens none: the flow goes on."""
    stream = _read(document).find(".//Stream")
    if stream is not None:
        _lead(stream)
    return json.dumps({"url": "" if stream is None else stream.get("url", "")})


# What each carrier is answered: how a document is spelled, and its media type.
SPELLINGS: dict[str, tuple[Callable[[str], str], str]] = {
    "twilio": (str, "text/xml"),
    "signalwire": (cxml, "text/xml"),
    "telnyx": (texml, "text/xml"),
    "plivo": (plivo, "text/xml"),
    "exotel": (exotel, "application/json"),
}


def _read(document: str) -> Element:
    root = fromstring(document)  # noqa: S314 - it is our own, written a moment ago
    for one in root.iter():
        if one.text and one.tag == "Redirect":
            one.text = one.text.partition("#")[0]
    return root


def _lead(stream: Element) -> None:
    """Put the token at the end of the stream's path."""
    token = next((one for one in stream if one.get("name") == TOKEN), None)
    if token is not None:
        stream.set("url", f"{stream.get('url')}/{token.get('value')}")


def _plivo_stream(connect: Element) -> Element:
    stream = connect[0]
    _lead(stream)
    made = Element(
        "Stream",
        {
            "bidirectional": "true",
            "keepCallAlive": "true",
            "audioTrack": "inbound",
            "contentType": "audio/x-mulaw;rate=8000",
            "statusCallbackUrl": stream.get("statusCallback", ""),
            "statusCallbackMethod": "POST",
        },
    )
    made.text = stream.get("url")
    return made


def _plivo_verb(verb: Element) -> Element:
    made = Element(_PLIVO_VERBS.get(verb.tag, verb.tag), dict(verb.attrib))
    made.text = verb.text
    if verb.tag == "Record":
        made.set("redirect", "true")
    made.extend(_plivo_verb(noun) for noun in verb)
    return made


def _text(root: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(root, encoding="unicode")
