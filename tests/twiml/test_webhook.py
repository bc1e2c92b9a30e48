from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from twiml.webhook import (
    FIELD_CHARACTERS_MAX,
    OVER,
    BadWebhook,
    CallStatus,
    Payment,
    StreamChange,
    StreamEvent,
    VoiceWebhook,
    parse,
    parse_call_status,
    parse_payment,
    parse_stream_event,
)

CALL = ("CallSid", "CA1234567890ABCDE")
PARSERS = [parse, parse_call_status, parse_stream_event]

NAMES = st.sampled_from(
    [
        "CallSid", "StreamSid", "AccountSid", "From", "CallStatus", "SequenceNumber", "CallDuration",
        "ErrorCode", "StreamEvent", "StreamError", "StreamErrorCode", "Digits",
    ]
) | st.text(max_size=8)  # fmt: skip
FORMS = st.lists(st.tuples(NAMES, st.text(max_size=20)), max_size=12)


def test_a_voice_webhook_is_read_whole() -> None:
    form = [
        CALL,
        ("AccountSid", "AC1"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("CallerName", "O'Brien & Söhne"),
        ("ForwardedFrom", "+14150000000"),
        ("ParentCallSid", "CA2"),
        ("StirVerstat", "TN-Validation-Passed-A"),
        ("Digits", "12#"),
        ("DialCallStatus", "no-answer"),
        ("DialCallSid", "CA3"),
        ("DialCallDuration", "17"),
        ("RecordingUrl", "https://api.example.com/Recordings/RE1"),
        ("RecordingDuration", "9"),
        ("ErrorCode", "11200"),
        ("ErrorUrl", "https://calls.example.com/twiml/voice"),
    ]

    assert parse(form) == VoiceWebhook(
        call_sid="CA1234567890ABCDE",
        account_sid="AC1",
        from_number="+14158675309",
        to_number="+18005551212",
        call_status="ringing",
        direction="inbound",
        caller_name="O'Brien & Söhne",
        forwarded_from="+14150000000",
        parent_call_sid="CA2",
        stir_verstat="TN-Validation-Passed-A",
        digits="12#",
        dial_status="no-answer",
        dial_call_sid="CA3",
        dial_duration_s=17,
        recording_url="https://api.example.com/Recordings/RE1",
        recording_duration_s=9,
        error_code=11200,
        error_url="https://calls.example.com/twiml/voice",
    )


def test_a_dial_was_answered_only_if_its_status_says_so() -> None:
    for word in ("completed", "answered"):
        assert parse([CALL, ("DialCallStatus", word)]).is_dial_answered
    for word in ("busy", "no-answer", "failed", "canceled", "", "a new word"):
        assert not parse([CALL, ("DialCallStatus", word)]).is_dial_answered


def test_a_call_sid_alone_is_enough() -> None:
    assert parse([CALL]) == VoiceWebhook(call_sid=CALL[1])
    assert parse_call_status([CALL]) == CallStatus(call_sid=CALL[1])
    assert parse_stream_event([CALL]) == StreamEvent(call_sid=CALL[1])


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("form", [[], [("CallSid", "")], [("callsid", "CA1")]])
def test_a_form_without_a_call_sid_is_refused(parser: type, form: list[tuple[str, str]]) -> None:
    with pytest.raises(BadWebhook, match=r"^The form has no CallSid\.$"):
        parser(form)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    "sid", ["CA 1", "CA1\n", "CA/1", "CA1' OR 1", "ÇA1", "CA\u0661", "{CA1}", "C" * 129, "\0"]
)
def test_an_impossible_call_sid_is_refused_without_quoting_it(parser: type, sid: str) -> None:
    with pytest.raises(BadWebhook) as caught:
        parser([("CallSid", sid)])
    assert (
        str(caught.value) == "The form's CallSid is not an identifier of 1 to 128 ASCII characters."
    )


@pytest.mark.parametrize(
    "sid",
    ["CA" + "a" * 32, "1", "v3:q_Rt-1.2", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "C" * 128],
)
def test_identifiers_of_look_alike_carriers_pass(sid: str) -> None:
    assert parse([("CallSid", sid)]).call_sid == sid
    assert parse_stream_event([CALL, ("StreamSid", sid)]).stream_sid == sid


def test_an_impossible_stream_sid_is_refused() -> None:
    with pytest.raises(BadWebhook, match="StreamSid is not an identifier"):
        parse_stream_event([CALL, ("StreamSid", "MZ/../1")])


def test_unknown_parameters_are_kept_in_order_with_their_repeats() -> None:
    form = [("Zebra", "1"), CALL, ("Apple", ""), ("Zebra", "2"), ("Zebra", "1")]
    kept = (("Zebra", "1"), ("Apple", ""), ("Zebra", "2"), ("Zebra", "1"))

    assert parse(form).extra == kept
    assert parse_call_status(form).extra == kept
    assert parse_stream_event(form).extra == kept


def test_the_first_of_repeated_fields_counts() -> None:
    got = parse([CALL, ("From", "+1"), ("CallSid", "CA2"), ("From", "+2")])

    assert (got.call_sid, got.from_number, got.extra) == (CALL[1], "+1", ())


def test_a_field_of_absurd_length_is_refused_and_one_below_passes() -> None:
    long = "9" * FIELD_CHARACTERS_MAX

    assert parse([CALL, ("From", long)]).from_number == long
    with pytest.raises(BadWebhook, match=r"^The form's From is longer than 2048 characters\.$"):
        parse([CALL, ("From", long + "9")])


def test_an_unknown_field_may_be_as_long_as_it_likes() -> None:
    assert parse([CALL, ("SpeechResult", "a" * 5_000)]).extra[0][1] == "a" * 5_000


@pytest.mark.parametrize("status", sorted(OVER))
def test_a_final_status_means_the_call_is_over(status: str) -> None:
    form = [CALL, ("CallStatus", status)]

    assert parse(form).is_over
    assert parse_call_status(form).is_over


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress", "new", ""])
def test_any_other_status_does_not_mean_the_call_is_over(status: str) -> None:
    form = [CALL, ("CallStatus", status)]

    assert not parse(form).is_over
    assert not parse_call_status(form).is_over


def test_a_call_status_is_read_whole() -> None:
    form = [
        CALL,
        ("AccountSid", "AC1"),
        ("CallStatus", "completed"),
        ("SequenceNumber", "0"),
        ("CallDuration", "75"),
        ("Duration", "2"),
        ("SipResponseCode", "200"),
        ("ErrorCode", "13224"),
        ("Timestamp", "Mon, 16 Aug 2027 03:45:01 +0000"),
        ("CallbackSource", "call-progress-events"),
    ]

    assert parse_call_status(form) == CallStatus(
        call_sid=CALL[1],
        account_sid="AC1",
        status="completed",
        sequence_number=0,
        duration_s=75,
        sip_response_code=200,
        error_code=13224,
        timestamp="Mon, 16 Aug 2027 03:45:01 +0000",
        extra=(("Duration", "2"), ("CallbackSource", "call-progress-events")),
    )


@pytest.mark.parametrize("text", ["", "-1", "1.5", "one", "0x10", " 1", "1_0", "\u0661", "9" * 10])
def test_what_is_no_count_reads_as_none(text: str) -> None:
    got = parse_call_status([CALL, ("SequenceNumber", text), ("CallDuration", text)])

    assert (got.sequence_number, got.duration_s) == (None, None)


def test_the_largest_count_still_reads() -> None:
    assert parse_call_status([CALL, ("CallDuration", "9" * 9)]).duration_s == 999_999_999


def test_a_stream_event_is_read_whole() -> None:
    form = [
        CALL,
        ("StreamSid", "MZ1"),
        ("AccountSid", "AC1"),
        ("StreamEvent", "stream-error"),
        ("StreamName", "leg 1"),
        ("StreamError", "Stream signal error, code: 31924"),
        ("StreamErrorCode", "31921"),
        ("Timestamp", "2027-08-16T03:45:01.000Z"),
    ]

    assert parse_stream_event(form) == StreamEvent(
        call_sid=CALL[1],
        stream_sid="MZ1",
        account_sid="AC1",
        change=StreamChange.ERROR,
        stream_name="leg 1",
        error="Stream signal error, code: 31924",
        error_code=31921,
        timestamp="2027-08-16T03:45:01.000Z",
    )


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("stream-started", StreamChange.STARTED),
        ("stream-stopped", StreamChange.STOPPED),
        ("stream-error", StreamChange.ERROR),
        ("stream-paused", StreamChange.OTHER),
        ("", StreamChange.OTHER),
    ],
)
def test_every_word_for_a_stream_event_is_understood(word: str, change: StreamChange) -> None:
    assert parse_stream_event([CALL, ("StreamEvent", word)]).change is change


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Stream signal error, code: 31924", 31924),
        ("code:31901 again", 31901),
        ("barcode: 31901", None),
        ("code: 319", None),
        ("code: 31924000", None),
        ("WebSocket handshake failed", None),
    ],
)
def test_without_its_own_field_the_code_is_read_from_the_text(text: str, code: int | None) -> None:
    assert parse_stream_event([CALL, ("StreamError", text)]).error_code == code


@pytest.mark.parametrize("parser", PARSERS)
def test_any_form_is_read_or_refused(parser: type) -> None:
    @given(FORMS)
    def check(form: list[tuple[str, str]]) -> None:
        with suppress(BadWebhook):
            got = parser(form)
            assert got.call_sid == next(value for name, value in form if name == "CallSid")

    check()


def test_of_a_payment_nothing_that_tells_of_the_card_is_read() -> None:
    told = {
        "Result": "success",
        "PaymentToken": "tok_1",
        "ProfileId": "cus_1",
        "PayErrorCode": "64012",
        "PaymentCardNumber": "xxxxxxxxxxxx4001",
        "ExpirationDate": "0522",
        "PaymentCardPostalCode": "94109",
        "PaymentError": "card is declined",
    }
    payment = parse_payment([CALL, *told.items()])
    assert payment == Payment(call_sid=CALL[1], result="success", token="tok_1", error_code=64012)
    assert parse_payment([CALL, ("ProfileId", "cus_1")]).token == "cus_1"
    with pytest.raises(BadWebhook):
        parse_payment([("Result", "success")])
