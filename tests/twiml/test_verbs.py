from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from twiml.verbs import (
    DIGITS_CHARACTERS_MAX,
    DOCUMENT_BYTES_MAX,
    PARAMETER_CHARACTERS_MAX,
    PATIENT,
    REST_TWIML_CHARACTERS_MAX,
    SAY_CHARACTERS_MAX,
    VOICEMAIL_LENGTH_S,
    VOICEMAIL_SILENCE_S,
    BadDigits,
    BadNumber,
    Document,
    DocumentTooLong,
    Door,
    connect,
    dial,
    fallback,
    fits_rest_update,
    hang_up,
    play_digits,
    playable_digits,
    say_and_hang_up,
    voicemail,
    wait,
)

RESUME = "https://calls.example.com/p/twiml/resume?play=1&x=<2>"
AFTER = "https://calls.example.com/p/twiml/dialled?x=<3>"
DOOR = Door(RESUME, "wss://calls.example.com/media", "https://calls.example.com/callbacks/stream")

# Whatever a str can hold, and the same without what XML 1.0 can't carry.
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
XML_TEXT = st.text(
    st.characters(codec="utf-8", min_codepoint=0x20, exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r\"'<>&]"),
    max_size=60,
)
ATTACKS = [
    '"/><Dial>+1900</Dial><Parameter name="x" value="', "'", "<!-- -->", "]]>", "<![CDATA[x]]>",
    "&amp;", "&#10;", "&lol;", "<!DOCTYPE a>", "<?xml?>", "\u202eevil", "\r\n\t ", "", " ", "\u2028",
    "\x85", "\u00a0", "\U0001f468\u200d\U0001f469", "e\u0301", "\u65e5\u672c", "%0A", "\\", "{{7*7}}",
    "\ufeff", "\U0010ffff", "\x7f", "null", "True",
]  # fmt: skip


def read(xml: str) -> ET.Element:
    return ET.XML(xml.encode())


def shape(xml: str) -> list[str]:
    return [node.tag for node in read(xml).iter()]


def carried(document: Document) -> dict[str, str]:
    return {
        node.attrib["name"]: node.attrib["value"] for node in read(document.xml).iter("Parameter")
    }


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def fits_xml(character: str) -> bool:
    return character in "\t\n\r" or (
        character >= " "
        and not "\ud800" <= character <= "\udfff"
        and character not in "\ufffe\uffff"
    )


def assert_both_ways_back(xml: str, url: str = RESUME) -> None:
    *_, way_in, last = read(xml)
    assert way_in.attrib["action"] == url
    assert way_in.attrib["method"] == "POST"
    assert (last.tag, last.text, last.attrib) == ("Redirect", url, {"method": "POST"})


def test_a_connect_document_is_exactly_this() -> None:
    door = Door("https://h/r", "wss://h/media", "https://h/s")

    assert connect(door, {"client_name": "Ann", "token": "t"}) == Document(
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="https://h/r" method="POST">'
        '<Stream statusCallback="https://h/s" statusCallbackMethod="POST" url="wss://h/media">'
        '<Parameter name="client_name" value="Ann" /><Parameter name="token" value="t" />'
        '</Stream></Connect><Redirect method="POST">https://h/r</Redirect></Response>'
    )


def test_every_document_with_a_connect_has_both_ways_back() -> None:
    assert_both_ways_back(connect(DOOR, {}).xml)
    assert_both_ways_back(play_digits(DOOR, "1", {}).xml)


def test_a_document_that_dials_leads_both_ways_to_what_follows_a_dial() -> None:
    assert_both_ways_back(dial("+14155550100", after_url=AFTER).xml, AFTER)
    assert_both_ways_back(dial("+14155550100", after_url=AFTER, text="Sorry.").xml, AFTER)


@pytest.mark.parametrize("value", ATTACKS)
def test_hostile_values_arrive_as_they_are_and_add_no_element(value: str) -> None:
    made = connect(DOOR, {"a": value, value: "b"})

    assert shape(made.xml) == shape(connect(DOOR, {"a": "x", "y": "b"}).xml)
    assert carried(made) == {"a": value, value: "b"}
    assert made.shortened == ()


@given(st.dictionaries(XML_TEXT, XML_TEXT, max_size=5))
def test_values_and_names_survive_byte_for_byte(parameters: dict[str, str]) -> None:
    made = connect(DOOR, parameters)

    assert carried(made) == parameters
    assert list(carried(made)) == list(parameters)
    assert made.shortened == ()


@given(ANY_TEXT, ANY_TEXT)
def test_only_what_xml_cannot_carry_is_left_out(name: str, value: str) -> None:
    made = connect(DOOR, {name: value})
    left = {"".join(filter(fits_xml, name)): "".join(filter(fits_xml, value))}

    assert carried(made) == left
    assert made.shortened == (() if left == {name: value} else (name,))


@pytest.mark.parametrize(
    "character", ["\0", "\x0b", "\x1f", "\ud800", chr(0xDC00), "\ufffe", "\uffff"]
)
def test_characters_that_xml_cannot_carry_are_dropped_and_reported(character: str) -> None:
    made = connect(DOOR, {"company": f"a{character}b"})

    assert carried(made) == {"company": "ab"}
    assert made.shortened == ("company",)


@pytest.mark.parametrize(
    "character", ["\t", "\n", "\r", " ", "\ud7ff", "\ue000", "\ufffd", "\U00010000"]
)
def test_characters_at_the_borders_of_xml_are_kept(character: str) -> None:
    assert carried(connect(DOOR, {"a": character})) == {"a": character}


def test_of_two_names_that_become_one_only_the_first_is_sent() -> None:
    made = connect(DOOR, {"token": "real", "token\0": "forged"})

    assert carried(made) == {"token": "real"}
    assert made.shortened == ("token\0",)


def test_a_value_just_under_the_limit_is_sent_whole_and_one_more_is_cut() -> None:
    longest = "v" * (PARAMETER_CHARACTERS_MAX - len("ticket_id"))
    made = connect(DOOR, {"ticket_id": longest, "company": "c"})
    cut = connect(DOOR, {"ticket_id": longest + "v", "company": "c"})

    assert PARAMETER_CHARACTERS_MAX == 499
    assert made.shortened == ()
    assert carried(made)["ticket_id"] == longest
    assert cut.shortened == ("ticket_id",)
    assert carried(cut) == {"ticket_id": longest, "company": "c"}


def test_a_character_of_two_units_is_never_cut_in_two() -> None:
    made = connect(DOOR, {"n": "\U0001f600" * 300})
    odd = connect(DOOR, {"nn": "\U0001f600" * 300})

    assert carried(made)["n"] == "\U0001f600" * 249  # 498 units: full
    assert carried(odd)["nn"] == "\U0001f600" * 248  # 497 units of room hold no 249th


@given(st.text(max_size=20), st.text(min_size=1, max_size=8), st.integers(1, 400))
def test_name_and_value_together_are_always_under_500_characters(
    name: str, piece: str, times: int
) -> None:
    made = connect(DOOR, {name: piece * times})
    ((sent_name, sent_value),) = carried(made).items()

    assert units(sent_name) + units(sent_value) < 500
    assert "".join(filter(fits_xml, piece * times)).startswith(sent_value)


def test_a_name_that_leaves_no_room_for_itself_is_left_out_and_reported() -> None:
    fits, long = "n" * 499, "n" * 500
    made = connect(DOOR, {fits: "v", long: "v", "a": "b"})

    assert carried(made) == {fits: "", "a": "b"}
    assert made.shortened == (fits, long)


def test_a_document_up_to_64_kb_is_made_and_one_above_is_an_error() -> None:
    parameters = {f"p{n:03}": "v" * 400 for n in range(140)}
    space = DOCUMENT_BYTES_MAX - len(connect(DOOR, parameters).xml.encode())
    text = "x" * (space - len('<Parameter name="" value="" />'))
    pieces = [text[at : at + 400] for at in range(0, len(text), 400)]
    for n, _ in enumerate(pieces):
        parameters[f"q{n:03}"] = ""
    room = DOCUMENT_BYTES_MAX - len(connect(DOOR, parameters).xml.encode())
    filled, rest = divmod(room, 400)
    for n in range(filled):
        parameters[f"q{n:03}"] = "v" * 400
    parameters[f"q{filled:03}"] = "v" * rest

    assert len(connect(DOOR, parameters).xml.encode()) == DOCUMENT_BYTES_MAX
    parameters["p000"] += "v"
    with pytest.raises(DocumentTooLong, match=r"^The document is over 64000 bytes"):
        connect(DOOR, parameters)


def test_the_limit_of_a_document_counts_bytes_after_escaping() -> None:
    with pytest.raises(DocumentTooLong):
        connect(DOOR, {f"p{n}": '"' * 490 for n in range(22)})


def test_digits_are_played_before_the_stream_opens_again() -> None:
    made = play_digits(DOOR, "1w2", {"token": "t"})
    play, way_in, redirect = read(made.xml)

    assert (play.tag, play.attrib, play.text) == ("Play", {"digits": "1w2"}, None)
    assert (way_in.tag, redirect.tag) == ("Connect", "Redirect")
    assert carried(made) == {"token": "t"}


def test_the_whole_keypad_is_playable_and_small_letters_are_raised() -> None:
    assert playable_digits("0123456789ABCDabcd*#w") == "0123456789ABCDABCD*#w"


@pytest.mark.parametrize(
    ("digits", "sentence"),
    [
        ("", "There are no digits to play."),
        ("1W2", "W is not a digit that can be played; write ww for a second's pause."),
        ("12 3", "Only 0-9, A-D, *, # and w can be played; character 3 is no such."),
        ("x", "Only 0-9, A-D, *, # and w can be played; character 1 is no such."),
        ("12\n", "Only 0-9, A-D, *, # and w can be played; character 3 is no such."),
        ("\u0661", "Only 0-9, A-D, *, # and w can be played; character 1 is no such."),
        ("e", "Only 0-9, A-D, *, # and w can be played; character 1 is no such."),
        ("1" * (DIGITS_CHARACTERS_MAX + 1), "At most 100 digits can be played at once."),
    ],
)
def test_digits_that_cannot_be_played_are_refused(digits: str, sentence: str) -> None:
    with pytest.raises(BadDigits) as caught:
        play_digits(DOOR, digits, {})
    assert str(caught.value) == sentence


def test_as_many_digits_as_the_limit_says_are_played() -> None:
    assert playable_digits("1" * DIGITS_CHARACTERS_MAX) == "1" * DIGITS_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("number", "tag", "text"),
    [
        ("+14155550100", "Number", "+14155550100"),
        ("112", "Number", "112"),
        ("client:alice.b", "Client", "alice.b"),
        ("sip:desk@example.com;transport=tls", "Sip", "sip:desk@example.com;transport=tls"),
        ("sips:desk@[::1]:5061", "Sip", "sips:desk@[::1]:5061"),
    ],
)
def test_a_number_a_client_and_a_sip_address_can_be_dialled(
    number: str, tag: str, text: str
) -> None:
    verb, _ = read(dial(number, after_url=AFTER).xml)
    (noun,) = verb

    assert (verb.tag, noun.tag, noun.text) == ("Dial", tag, text)
    assert verb.attrib == {"action": AFTER, "method": "POST", "timeout": "30"}


@pytest.mark.parametrize(
    "number",
    ["", "12", "+", "+1415 555", "1" * 16, "tel:+1415", "client:", "client:a b", "sip:", "sip:a\nb",
     "client:" + "a" * 122, "<Number>+1</Number>", "+14155550100\n", "+1,+2"],
)  # fmt: skip
def test_what_cannot_be_dialled_is_refused_without_quoting_it(number: str) -> None:
    with pytest.raises(BadNumber, match=r"^Only a phone number of 3 to 15 digits"):
        dial(number, after_url=AFTER)


def test_a_caller_id_and_a_ringing_time_are_passed_on() -> None:
    verb, _ = read(dial("112", after_url=AFTER, caller_id="+18005551212", timeout_s=600).xml)

    assert verb.attrib["callerId"] == "+18005551212"
    assert verb.attrib["timeout"] == "600"
    assert read(dial("112", after_url=AFTER, timeout_s=1).xml)[0].attrib["timeout"] == "1"


def test_a_wrong_caller_id_or_ringing_time_is_refused() -> None:
    with pytest.raises(BadNumber, match="A caller ID must be"):
        dial("112", after_url=AFTER, caller_id="anonymous")
    for timeout_s in (0, 601):
        with pytest.raises(ValueError, match=r"^The ringing time must be 1 to 600 seconds\.$"):
            dial("112", after_url=AFTER, timeout_s=timeout_s)


def test_a_caller_is_told_before_the_dial_and_before_the_end() -> None:
    transfer = dial(
        "112",
        after_url=AFTER,
        text="Sorry.",
        caller_id="+18005551212",
        timeout_s=20,
        language="en-GB",
    )
    say, verb, _ = read(transfer.xml)
    farewell = say_and_hang_up("Désolé.", language="fr-FR")

    assert (say.tag, say.text, say.attrib) == ("Say", "Sorry.", {"language": "en-GB"})
    assert (verb.attrib["callerId"], verb.attrib["timeout"]) == ("+18005551212", "20")
    assert farewell.xml.endswith(
        '<Response><Say language="fr-FR">Désolé.</Say><Hangup /></Response>'
    )
    assert hang_up().xml.endswith("<Response><Hangup /></Response>")


def test_a_voicemail_is_recorded_for_a_bounded_time_and_silence_leads_to_the_farewell() -> None:
    made = voicemail("Leave a message.", "Goodbye.", after_url=AFTER, language="en")
    say, record, farewell, end = read(made.xml)

    assert [say.text, farewell.text] == ["Leave a message.", "Goodbye."]
    assert [say.attrib, farewell.attrib] == [{"language": "en"}] * 2
    assert record.tag == "Record"
    assert record.attrib == {
        "action": AFTER,
        "method": "POST",
        "maxLength": str(VOICEMAIL_LENGTH_S),
        "timeout": str(VOICEMAIL_SILENCE_S),
        "finishOnKey": "#",
        "playBeep": "true",
    }
    assert end.tag == "Hangup"


def test_what_follows_needs_a_whole_address() -> None:
    for url in ("", "/twiml/dialled", "wss://h/m", "https://h/a b", "https://h/a#rc=1"):
        with pytest.raises(ValueError, match=r"^A webhook's URL must be absolute"):
            dial("112", after_url=url)
        with pytest.raises(ValueError, match=r"^A webhook's URL must be absolute"):
            voicemail("Hello.", "Goodbye.", after_url=url)
        with pytest.raises(ValueError, match=r"^A webhook's URL must be absolute"):
            fallback(url, "One moment.")
        with pytest.raises(ValueError, match=r"^A webhook's URL must be absolute"):
            wait(url, 1)


def test_the_fallback_says_a_word_and_goes_back_to_the_door() -> None:
    say, redirect = read(fallback(RESUME, "One moment.", language="en").xml)

    assert (say.text, say.attrib) == ("One moment.", {"language": "en"})
    assert (redirect.tag, redirect.text, redirect.attrib) == (
        "Redirect",
        f"{RESUME}{PATIENT}",
        {"method": "POST"},
    )


def test_who_waits_is_silent_for_a_while_and_asks_again_with_patience() -> None:
    say, pause, redirect = read(wait(RESUME, 8, "One moment.", language="en").xml)

    assert (say.text, say.attrib) == ("One moment.", {"language": "en"})
    assert (pause.tag, pause.attrib) == ("Pause", {"length": "8"})
    assert (redirect.text, redirect.attrib) == (RESUME + PATIENT, {"method": "POST"})
    assert shape(wait(RESUME, 1).xml) == ["Response", "Pause", "Redirect"]
    for pause_s in (0, 61):
        with pytest.raises(ValueError, match="1 to 60 seconds"):
            wait(RESUME, pause_s)


SPEAKERS: list[Callable[[str], Document]] = [
    say_and_hang_up,
    lambda text: dial("112", after_url=AFTER, text=text),
    lambda text: voicemail(text, "Goodbye.", after_url=AFTER),
    lambda text: fallback(RESUME, text),
    lambda text: wait(RESUME, 1, text),
]


@pytest.mark.parametrize("speak", SPEAKERS)
def test_text_to_say_stays_text(speak: Callable[[str], Document]) -> None:
    plain = shape(speak("x").xml)
    for attack in filter(str.strip, ATTACKS):
        made = speak(attack)
        assert shape(made.xml) == plain
        assert read(made.xml)[0].text == attack
        assert made.shortened == ()


@pytest.mark.parametrize("speak", SPEAKERS)
@pytest.mark.parametrize("text", ["", " \n", "\0"])
def test_nothing_to_say_means_no_say(speak: Callable[[str], Document], text: str) -> None:
    assert shape(speak(text).xml).count("Say") == shape(speak("x").xml).count("Say") - 1


@pytest.mark.parametrize("speak", SPEAKERS)
def test_too_long_a_text_is_cut_and_reported(speak: Callable[[str], Document]) -> None:
    text = "a" * SAY_CHARACTERS_MAX

    assert speak(text).shortened == ()
    assert speak(text + "b").shortened == ("text",)
    assert speak(text + "b").xml == speak(text).xml


@pytest.mark.parametrize(
    "urls",
    [
        ("/twiml/resume", "wss://h/m", "https://h/s"),
        ("https://h/r", "https://h/m", "https://h/s"),
        ("https://h/r", "wss://h/m?token=1", "https://h/s"),
        ("https://h/r", "wss://h/m#x", "https://h/s"),
        ("https://h/r", "wss://h/ m", "https://h/s"),
        ("https://h/r", "wss://h/m", "callbacks/stream"),
        ("https://h/r", "wss://h/m", ""),
        ("https://h/r\n", "wss://h/m", "https://h/s"),
    ],
)
def test_a_door_that_twilio_would_refuse_is_not_built(urls: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match=r"^A (webhook|stream)'s URL must be "):
        Door(*urls)


def test_a_door_for_development_may_lack_tls() -> None:
    door = Door("http://127.0.0.1:8000/r", "ws://127.0.0.1:8000/m", "http://127.0.0.1:8000/s")

    assert read(connect(door, {}).xml)[0][0].attrib["url"] == "ws://127.0.0.1:8000/m"


def test_a_rest_update_takes_up_to_4000_characters() -> None:
    assert fits_rest_update("a" * REST_TWIML_CHARACTERS_MAX)
    assert not fits_rest_update("a" * (REST_TWIML_CHARACTERS_MAX + 1))
    assert fits_rest_update("\U0001f600" * (REST_TWIML_CHARACTERS_MAX // 2))
    assert not fits_rest_update("\U0001f600" * (REST_TWIML_CHARACTERS_MAX // 2) + "a")
