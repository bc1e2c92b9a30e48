"""What the count of instructions makes of valgrind's words; the count itself takes minutes."""

from collections import Counter

from tests.bench import instructions
from tests.bench._callgrind import read
from tests.bench._phones import KEY, Phone, masked, media

DUMP = """\
version: 1
desc: Trigger: Client Request: heard
positions: line
events: Ir
summary: 170

ob=(1) /usr/lib/libpython3.11.so.1.0
fl=(1) ceval.c
fn=(1) _PyEval_EvalFrameDefault
0 100
cob=(2) /usr/lib/_webrtcvad.cpython-311-x86_64-linux-gnu.so
cfn=(2) process
calls=5 0
0 50
+3 20

ob=(2)
fn=(2)
* 40
-2 10
totals: 170
""".splitlines()


def test_a_dump_is_read_by_file_and_what_a_callee_took_stands_at_the_callee_alone() -> None:
    assert read(DUMP) == ("heard", Counter({"libpython3": 120, "_webrtcvad": 50}))


def test_callers_and_what_is_done_for_nobody_are_taken_off() -> None:
    counts = {
        "heard": Counter({"python": 100, "vad": 50}),
        "callers of heard": Counter({"python": 30}),
        "floor": Counter({"python": 40}),
        "alone": Counter({"python": 7}),
    }
    assert instructions.net("heard", counts) == Counter({"python": 63, "vad": 50})
    assert instructions.net("floor", counts) == Counter({"python": 40})


def test_a_message_costs_what_answering_costs_more_than_hearing() -> None:
    counts = {
        name: Counter({"python": cost})
        for name, cost in (("heard", 100_000), ("talking", 500_000), ("alone", 0))
    }
    assert instructions.message_kilo(counts, 10) == 40.0


def test_a_phone_sends_its_frames_and_echoes_a_mark_once_it_has_played() -> None:
    sent: list[bytes] = []
    sound = b'{"event":"media","media":{"payload":"%b"}}' % (b"////" * 1_067)  # 400 ms
    told = b'{"event":"mark","streamSid":"MZ1","mark":{"name":"m1"}}'
    ping = b"\x89\x02hi"
    came = [
        bytes((0x81, 126)) + len(sound).to_bytes(2, "big") + sound + b"\x81",
        bytes((len(told),)) + told + ping,
    ]
    phone = Phone(sent.append, lambda: came.pop(0) if came else b"")
    phone.takes(media(0, [b"AAAA"] * 30, "MZ1"))
    for number in range(19):
        phone.tick(number * 20)
    assert len(sent) == 19
    phone.tick(400)
    assert sent[20:] == [masked(b"hi", 10)]
    phone.tick(579)
    assert len(sent) == 22
    phone.tick(580)
    echo = b'{"event":"mark","sequenceNumber":"20","mark":{"name":"m1"},"streamSid":"MZ1"}'
    assert sent[-1] == masked(echo)
    assert phone.messages == 2


def test_a_frame_is_masked_as_a_client_masks_it() -> None:
    assert masked(b"ab") == b"\x81\x82" + KEY + bytes((ord("a") ^ KEY[0], ord("b") ^ KEY[1]))
    assert masked(b"x" * 300)[:4] == b"\x81\xfe\x01\x2c"
