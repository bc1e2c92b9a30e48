import contextlib
from typing import Any, get_args

import pytest
from hypothesis import given, strategies as st

from service.simulator.twiml import document as d, verbs as v
from service.simulator.twiml.markup import DocumentError

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


def verbs(inner: str) -> tuple[v.Verb, ...]:
    return d.read(f"<Response>{inner}</Response>").verbs


def codes(inner: str) -> list[int]:
    return [warned.code for warned in d.read(f"<Response>{inner}</Response>").warnings]


def test_a_restart_document_is_read_whole() -> None:
    document = d.read(CONNECT)
    stream = v.Stream(
        url="wss://h.example/media",
        name="one",
        parameters=(("client_name", "Zoë <&>"),),
        status_callback="https://h.example/s",
    )
    assert document.warnings == ()
    assert document.verbs == (
        v.PlayDigits("1w2"),
        v.Connect(stream, "/twiml/resume"),
        v.Redirect("https://h.example/twiml/resume?a=1&b=2", "GET"),
    )


@pytest.mark.parametrize(
    ("inner", "verb"),
    [
        ("<Say>One   moment,\n please.</Say>", v.Say("One moment, please.")),
        ("<Pause/>", v.Pause(1_000)),
        ('<Pause length="40"/>', v.Pause(40_000)),
        ('<Pause length="999999"/>', v.Pause(600_000)),
        ("<Hangup/>", v.Hangup()),
        ("<Reject/>", v.Hangup()),
        ("<Play>https://h.example/a.wav</Play>", v.PlayUrl("https://h.example/a.wav")),
        ("<Dial>+15550100</Dial>", v.Dial("+15550100")),
        ('<Dial action="/d"><Number>+15550100</Number></Dial>', v.Dial("+15550100", "/d")),
        ('<Dial timeout="20">+1</Dial>', v.Dial("+1", timeout_ms=20_000)),
        ("<Record/>", v.Record()),
        (
            '<Record action="/v" maxLength="120" timeout="4" finishOnKey="#" playBeep="true"/>',
            v.Record("/v", "POST", 120_000, 4_000, "#"),
        ),
        ("<Gather/>", v.Ignored("Gather")),
        (
            "<Start><Stream url='wss://h.example/m' name='ear-1'/></Start>",
            v.Start(v.Stream(url="wss://h.example/m", name="ear-1")),
        ),
        ("<Start><Siprec/></Start>", v.Ignored("Start")),
        (
            "<Start><Stream url='wss://h.example/m' track='both_tracks'/></Start>",
            v.Ignored("Start"),
        ),
        ("<Stop><Stream name='ear-1'/></Stop>", v.Stop("ear-1")),
        ("<Stop/>", v.Ignored("Stop")),
    ],
)
def test_every_verb_is_read(inner: str, verb: v.Verb) -> None:
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
    assert isinstance(verb, v.Connect)
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
    assert all(isinstance(verb, get_args(v.Verb)) for verb in document.verbs)
    strange = sum(name in {"Stream", "Parameter", "Nope"} for name, _, _ in elements)
    assert len(document.verbs) == len(elements) - strange


def test_a_stop_without_a_name_is_a_warning() -> None:
    assert verbs("<Stop><Stream/></Stop>") == (v.Stop(""),)
    assert codes("<Stop><Stream/></Stop>") == [d.INVALID]


def test_a_payment_asks_for_what_it_is_not_told_to_leave_out() -> None:
    told = (
        '<Response><Pay action="/paid" paymentConnector="till" maxAttempts="3" timeout="7"'
        ' postalCode="false" tokenType="one-time"/></Response>'
    )
    assert d.read(told).verbs == (
        v.Pay(
            action="/paid",
            connector="till",
            attempts=3,
            key_pause_ms=7_000,
            asks=("securityCode",),
        ),
    )
    assert not d.read(told).warnings
    wrong = d.read('<Response><Pay maxAttempts="9" tokenType="gold"/></Response>')
    assert len(wrong.warnings) == 2
    assert wrong.verbs == (v.Pay(asks=("securityCode", "postalCode")),)
