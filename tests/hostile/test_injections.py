"""S-10: whatever a caller, a directory or a model says becomes text in TwiML, and never an element."""

import random
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from service.documents import Documents
from service.trust.token import TokenMint
from tests.web.front import fronted, ring
from twiml import verbs

NOW_MS = 1_760_000_000_000
AFTER = "https://calls.example.com/twiml/dialled"
DOOR = verbs.Door(
    resume_url="https://calls.example.com/twiml/resume",
    stream_url="wss://calls.example.com/media",
    stream_status_url="https://calls.example.com/callbacks/stream",
)
DOCUMENTS = Documents(
    "https://calls.example.com", TokenMint(["secret"]), lambda: "n0123456789abcdef", ""
)
PIECES = (
    "<Hangup/>", "</Say><Dial>+15550100</Dial><Say>", "</Parameter>", '"/><Redirect>https://evil.example</Redirect>',
    "<![CDATA[<Dial/>]]>", "]]>", "<!--", "-->", "<?xml version='1.0'?>", "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
    "&x;", "&lt;Hangup/&gt;", "&#60;Hangup/&#62;", "&#0;", "&amp;", "&", "<", ">", '"', "'", "\\", "\0", "\x0b", "\x1b", "\ufffe",
    "\uffff", "\ud800", "\u202e", "\u2028", "\r\n", "\t", " name='x'", 'xmlns="https://evil.example"', "\u0338", "é", "日本",
    "\U0001f600", "{}", "%00", "<Say>" * 20, "x" * 700,
)  # fmt: skip
EMITTERS: dict[str, Callable[[str], str]] = {
    "connect": lambda text: verbs.connect(DOOR, {"client_name": text, text[:40]: "x", "company": text}).xml,
    "play": lambda text: verbs.play_digits(DOOR, "12#", {"client_name": text}).xml,
    "dial": lambda text: verbs.dial("+15550100", after_url=AFTER, text=text).xml,
    "voicemail": lambda text: verbs.voicemail(text, text, after_url=AFTER).xml,
    "say": lambda text: verbs.say_and_hang_up(text).xml,
    "fallback": lambda text: verbs.fallback(AFTER, text).xml,
    "wait": lambda text: verbs.wait(AFTER, 3, text).xml,
    "stream": lambda text: DOCUMENTS.connect(
        text, {"client_name": text, "ticket_id": text}, door="voice", is_known=False, now_ms=NOW_MS
    ),
}  # fmt: skip


def payload(rng: random.Random) -> str:
    """Return a text that breaks out of naive templates, never an empty one."""
    return "a" + "".join(rng.choices(PIECES, k=rng.randint(1, 5)))


def shape(xml: str) -> list[str]:
    """Return every element with the names of its attributes, in order: what no text may change."""
    tree = ET.fromstring(xml)  # noqa: S314 - our own document
    return [f"{one.tag} {' '.join(sorted(one.attrib))}" for one in tree.iter()]


@pytest.mark.parametrize("name", EMITTERS)
def test_of_a_thousand_payloads_none_changes_a_document(name: str) -> None:
    """125 for each of eight emitters: each parses, with the very tree of a harmless text."""
    emit, seed = EMITTERS[name], 11
    rng, plain = random.Random(f"{seed} {name}"), shape(EMITTERS[name]("Ada"))
    for _ in range(125):
        text = payload(rng)
        assert shape(emit(text)) == plain, f"{seed=} {text!r}"


@pytest.mark.asyncio
async def test_who_rings_under_a_hostile_name_gets_the_document_of_anybody() -> None:
    """Through the door: every field of the form that a caller has a say in."""
    seed = 12
    rng = random.Random(seed)
    async with fronted() as front:
        answer = await front.hook("/twiml/voice", ring(CallSid="CA" + "1" * 32))
        plain = shape(answer.text)
        for step in range(100):
            text = payload(rng).encode("utf-8", "replace").decode()
            fields = ring(CallSid=f"CA{step:032d}", From=text, CallerName=text, FromCity=text)
            answer = await front.hook("/twiml/voice", fields)
            assert answer.status_code in (200, 400), f"{seed=} {step=} {text!r}"
            assert answer.status_code == 400 or shape(answer.text) == plain, f"{seed=} {text!r}"
