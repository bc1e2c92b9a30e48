import contextlib
from typing import Any, get_args

import pytest
from hypothesis import given, strategies as st

from service.simulator import document as d
from service.simulator.markup import DocumentError

CONNECT = """<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Play digits="1w2"/>
  <Connect action="/twiml/resume">
    <Stream url="wss://h.example/media" name="one" statusCallback="https://h.example/s">
      <Parameter name="client_name" value="Zo&#235; &lt;&amp;&gt;"/>
    </Stream>
  </Connect>
  <Redirect method="GET"> https://h.example/twiml/resume?a=1&amp;b=2 </Redirect>
</Response>"""


def verbs(inner: str) -> tuple[d.Verb, ...]:
    return d.read(f"<Response>{inner}</Response>").verbs


def codes(inner: str) -> list[int]:
    return [warned.code for warned in d.read(f"<Response>{inner}</Response>").warnings]


def test_a_restart_document_is_read_whole() -> None:
    document = d.read(CONNECT)
    stream = d.Stream(
        url="wss://h.example/media",
        name="one",
        parameters=(("client_name", "Zoë <&>"),),
        status_callback="https://h.example/s",
    )
    assert document.warnings == ()
    assert document.verbs == (
        d.PlayDigits("1w2"),
        d.Connect(stream, "/twiml/resume"),
        d.Redirect("https://h.example/twiml/resume?a=1&b=2", "GET"),
    )


@pytest.mark.parametrize(
    ("inner", "verb"),
    [
        ("<Say>One   moment,\n please.</Say>", d.Say("One moment, please.")),
        ("<Pause/>", d.Pause(1_000)),
        ('<Pause length="40"/>', d.Pause(40_000)),
        ('<Pause length="999999"/>', d.Pause(600_000)),
        ("<Hangup/>", d.Hangup()),
        ("<Reject/>", d.Hangup()),
        ("<Play>https://h.example/a.wav</Play>", d.PlayUrl("https://h.example/a.wav")),
        ("<Dial>+15550100</Dial>", d.Dial("+15550100")),
        ('<Dial action="/d"><Number>+15550100</Number></Dial>', d.Dial("+15550100", "/d")),
        ('<Dial timeout="20">+1</Dial>', d.Dial("+1", timeout_ms=20_000)),
        ("<Record/>", d.Record()),
        (
            '<Record action="/v" maxLength="120" timeout="4" finishOnKey="#" playBeep="true"/>',
            d.Record("/v", "POST", 120_000, 4_000, "#"),
        ),
        ("<Gather/>", d.Ignored("Gather")),
        (
            "<Start><Stream url='wss://h.example/m' name='ear-1'/></Start>",
            d.Start(d.Stream(url="wss://h.example/m", name="ear-1")),
        ),
        ("<Start><Siprec/></Start>", d.Ignored("Start")),
        (
            "<Start><Stream url='wss://h.example/m' track='both_tracks'/></Start>",
            d.Ignored("Start"),
        ),
        ("<Stop><Stream name='ear-1'/></Stop>", d.Stop("ear-1")),
        ("<Stop/>", d.Ignored("Stop")),
    ],
)
def test_every_verb_is_read(inner: str, verb: d.Verb) -> None:
    assert verbs(inner) == (verb,)
    assert codes(inner) == []


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("<say>hello</say>", d.INVALID),
        ('<Play digits="12x"/>', d.INVALID),
        ('<Pause length="long"/>', d.INVALID),
        ('<Dial timeout="-1">+1</Dial>', d.INVALID),
        ('<Record maxLength="an hour"/>', d.INVALID),
        ('<Record timeout=""/>', d.INVALID),
        ('<Record method="PUT"/>', d.INVALID),
        ('<Redirect method="PUT">/a</Redirect>', d.INVALID),
        ("<Connect/>", d.INVALID),
        ("<Connect><Stream/></Connect>", d.INVALID),
        ('<Connect><Stream url="wss://h/m?token=1"/></Connect>', d.INVALID),
        ('<Connect><Stream url="wss://h/m"><Param/></Stream></Connect>', d.INVALID),
        ('<Connect><Stream url="wss://h/m" track="both_tracks"/></Connect>', d.WRONG_TRACK),
        (
            f'<Connect><Stream url="wss://h/m"><Parameter name="n" value="{"v" * 499}"/></Stream></Connect>',
            d.INVALID,
        ),
    ],
)
def test_what_twilio_would_complain_about_is_a_warning(inner: str, code: int) -> None:
    assert codes(inner) == [code]


def test_a_query_string_is_dropped_from_a_streams_url() -> None:
    (verb,) = verbs('<Connect><Stream url="wss://h/m?token=1"/></Connect>')
    assert isinstance(verb, d.Connect)
    assert verb.stream.url == "wss://h/m"


def test_another_root_is_no_twiml() -> None:
    with pytest.raises(DocumentError, match="<html>"):
        d.read("<html/>")


@given(st.one_of(st.text(), st.binary()))
def test_reading_raises_one_kind_of_error_whatever_comes(document: str | bytes) -> None:
    with contextlib.suppress(DocumentError):
        d.read(document)


NAMES = st.sampled_from(
    ["Connect", "Stream", "Parameter", "Say", "Play", "Pause", "Dial", "Record", "Nope"]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["url", "action", "method", "digits", "length", "name", "value", "track", "timeout"]
    ),
    st.text(
        st.characters(codec="ascii", exclude_characters="<&\"'\x00", min_codepoint=32), max_size=9
    ),
    max_size=4,
)
Element = tuple[str, dict[str, str], list[Any]]
ELEMENTS: st.SearchStrategy[Element] = st.recursive(
    st.builds(lambda name, pairs: (name, pairs, []), NAMES, ATTRIBUTES),
    lambda inner: st.builds(
        lambda name, pairs, children: (name, pairs, children),
        NAMES,
        ATTRIBUTES,
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


def written(element: Element) -> str:
    name, pairs, children = element
    inner = "".join(written(child) for child in children)
    attributes = "".join(f' {key}="{value}"' for key, value in pairs.items())
    return f"<{name}{attributes}>{inner}</{name}>"


@given(st.lists(ELEMENTS, max_size=5))
def test_any_well_formed_document_gives_verbs_and_warnings(
    elements: list[Element],
) -> None:
    inner = "".join(map(written, elements))
    document = d.read(f"<Response>{inner}</Response>")
    assert len(document.verbs) <= len(elements)
    assert all(isinstance(verb, get_args(d.Verb)) for verb in document.verbs)
    strange = sum(name in {"Stream", "Parameter", "Nope"} for name, _, _ in elements)
    assert len(document.verbs) == len(elements) - strange


def test_a_stop_without_a_name_is_a_warning() -> None:
    assert verbs("<Stop><Stream/></Stop>") == (d.Stop(""),)
    assert codes("<Stop><Stream/></Stop>") == [d.INVALID]
