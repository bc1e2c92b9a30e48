import itertools
import json

import pytest

from service.protocol import dialect, messages as m


def test_a_start_in_snake_case_reads_like_twilios() -> None:
    start = m.decode(
        json.dumps(
            {
                "event": "start",
                "sequence_number": 1,
                "stream_sid": "S1",
                "start": {
                    "stream_sid": "S1",
                    "call_sid": "C1",
                    "account_sid": "A1",
                    "tracks": "inbound",
                    "custom_parameters": {"a": "b"},
                    "media_format": {
                        "encoding": "mulaw",
                        "sample_rate": "8000",
                        "bit_rate": "128kbps",
                    },
                },
            }
        )
    )
    assert start == m.Start(
        start=m.StartBody(
            call_sid="C1",
            stream_sid="S1",
            account_sid="A1",
            tracks=("inbound",),
            media_format=m.MediaFormat(encoding="mulaw"),
            custom_parameters={"a": "b"},
        ),
        stream_sid="S1",
        sequence_number=1,
    )


STREAM_WORDS = ["streamSid", "stream_sid", "streamId", "stream_id"]
CALL_WORDS = ["callSid", "call_sid", "callId", "call_id", "call_control_id"]


@pytest.mark.parametrize(("stream", "call"), list(itertools.product(STREAM_WORDS, CALL_WORDS)))
@pytest.mark.parametrize("is_on_top", [True, False])
def test_every_word_for_the_identifiers_is_known(
    stream: str, call: str, *, is_on_top: bool
) -> None:
    top = {stream: "S1"} if is_on_top else {}
    body = {call: "C1"} if is_on_top else {call: "C1", stream: "S1"}
    start = m.decode(json.dumps({"event": "start", "start": body, **top}))
    assert isinstance(start, m.Start)
    assert (start.stream_sid, start.start.call_sid) == ("S1", "C1")


@pytest.mark.parametrize("order", [1, -1])
def test_twilios_own_name_wins_over_a_look_alike(order: int) -> None:
    fields = [("streamSid", "right"), ("stream_id", "wrong")][::order]
    assert dialect.canonical(dict(fields)) == {"streamSid": "right"}


def test_an_empty_identifier_counts_as_missing() -> None:
    assert dialect.canonical({"stream_id": "S1", "streamSid": ""}) == {"streamSid": "S1"}


def test_the_top_level_identifier_stands_when_both_are_there() -> None:
    start = dialect.canonical({"streamSid": "top", "start": {"streamSid": "body"}})
    assert start["streamSid"] == "top"


def test_an_optional_field_of_a_wrong_type_is_left_out() -> None:
    start = dialect.canonical(
        {"start": {"accountSid": 5, "mediaFormat": "pcm", "tracks": 7}, "stop": [], "version": None}
    )
    assert start == {"start": {"tracks": []}}
    assert dialect.canonical({"sequence_number": "many", "chunk": "7"}) == {"chunk": 7}
    tracks = dialect.canonical({"tracks": ["inbound", 5, "outbound"]})
    assert tracks == {"tracks": ["inbound", "outbound"]}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"a": "b"}, {"a": "b"}),
        (
            {"a": 5, "b": True, "c": None, "d": {"e": [1]}},
            {"a": "5", "b": "true", "c": "", "d": '{"e":[1]}'},
        ),
        ('{"a":"é & <\\"😀"}', {"a": 'é & <"😀'}),
        ("plain words", {}),
        ("[1]", {}),
        ("[" * 20_000, {}),
        (None, {}),
        (7, {}),
    ],
)
def test_custom_parameters_come_as_texts_by_name(written: object, read: dict[str, str]) -> None:
    assert dialect.parameters(written) == read
    start = m.decode(
        json.dumps(
            {
                "event": "start",
                "streamSid": "S1",
                "start": {"callSid": "C1", "customParameters": written},
            }
        )
    )
    assert isinstance(start, m.Start)
    assert (start.start.custom_parameters or {}) == read
