"""Every decoder, fed with noise and with what was nearly right: a value, or the one error it promises."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import example, given, settings, strategies as st

from service import config
from service.call import events as e
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.state import Call
from service.directory import directory
from service.errors import ConfigError, RemoteProtocolError
from service.journal.behind import entries, frames
from service.protocol import messages, stream
from service.trust.token import TokenMint
from tests.hostile.mutation import bent, flipped, written
from tests.hostile.test_messages import MESSAGES
from tests.hostile.test_webhooks import texts
from tests.web.front import ring
from twiml import webhook
from twiml.signature import Verifier

NOW_MS = 1_790_000_000_000
SID = "CA" + "1" * 32
RUNS = settings(max_examples=300)
FEW = settings(max_examples=100)
SEEDS = st.integers(0, 2**32)
MINT = TokenMint(["secret", "older"])
TOKEN = MINT.issue(
    SID, door="voice", is_known=True, nonce="n" * 16, now_ms=NOW_MS, opened_ms=NOW_MS
)
VERIFIER = Verifier(["secret"], "https://calls.example.com")
FACTS = [
    e.encode(e.CallOpened(call_sid=SID, account_sid="AC1", parameters={"client_name": "Ann"})),
    e.encode(e.DigitPressed(digit="5")),
    e.encode(e.CallerSpoke(text="Hello there", confidence_milli=900, duration_ms=700)),
    e.encode(e.NoteAdded(text="note")),
    e.encode(e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s1")),
    e.encode(e.CallEnded(reason="completed")),
]
SHELVED = entries.encode(
    entries.Shelved("b1", SID, "i1", 1, 3, entries.Writing((b"a", b"b"), 1, "key", NOW_MS, 5))
)


@RUNS
@given(SEEDS, st.integers(1, 5))
def test_the_wire(seed: int, count: int) -> None:
    """messages.decode and Stream.receive: events, or RemoteProtocolError."""
    rng = random.Random(seed)
    ours = stream.Stream()
    for _ in range(count):
        text = written(rng, bent(rng, rng.choice(MESSAGES)))
        for read in (messages.decode, messages.decode_outbound):
            try:
                read(text)
            except RemoteProtocolError as trouble:
                assert len(str(trouble)) < 1_000  # noqa: PT017 - whether it is raised is open
        try:
            ours.receive(text, NOW_MS)
        except RemoteProtocolError as trouble:
            assert "\n" not in str(trouble)  # noqa: PT017 - whether it is raised is open


@RUNS
@given(SEEDS, st.sampled_from(FACTS))
def test_a_journals_record(seed: int, body: bytes) -> None:
    """events.decode: a fact, an unknown one, or broken JSON; and every fact can be folded."""
    rng = random.Random(seed)
    if rng.random() < 0.5:
        told = written(rng, bent(rng, json.loads(body))).encode("utf-8", "replace")
    else:
        told = flipped(rng, body)
    try:
        fact = e.decode(told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    fold(fold(Call(), e.decode(FACTS[0]), Place(1, 0, NOW_MS)), fact, Place(2, 1, NOW_MS))
    again = e.decode(e.encode(fact))
    assert again == fact


@RUNS
@given(st.binary(max_size=200) | SEEDS.map(lambda seed: flipped(random.Random(seed), SHELVED)))
@example(b"\xa1\xff")
@example(b"\x91" * 3_000)
@example(b"\xdd\xff\xff\xff\xff")
@example(SHELVED.replace(b"key", b"\xff\xfe\xfd"))
def test_an_entry_on_the_shelf(payload: bytes) -> None:
    """entries.decode: an entry, or None."""
    found = entries.decode(payload)
    assert found is None or isinstance(found, entries.Shelved)


@RUNS
@given(st.lists(st.binary(max_size=60), max_size=6), SEEDS, st.booleans())
def test_the_frames_of_a_shelf(payloads: list[bytes], seed: int, is_noise: bool) -> None:  # noqa: FBT001
    """frames.unframed: what stands before the damage stays, what stands behind is not believed."""
    whole = b"".join(map(frames.framed, payloads))
    rng = random.Random(seed)
    damaged = rng.randbytes(200) if is_noise else flipped(rng, whole)
    found = frames.unframed(damaged)
    assert found.sound_bytes <= len(damaged)
    assert b"".join(map(frames.framed, found.payloads)) == damaged[: found.sound_bytes]
    cut = rng.randrange(len(whole) + 1)
    kept = frames.unframed(whole[:cut]).payloads
    assert list(kept) == payloads[: len(kept)]


@RUNS
@given(
    st.text(max_size=250)
    | SEEDS.map(lambda seed: flipped(random.Random(seed), TOKEN.encode()).decode("latin-1"))
)
@example("1......")
@example(TOKEN + ".")
@example(TOKEN.replace("1.", "\u0661.", 1))
@example("\ud800" * 10)
def test_a_token(text: str) -> None:
    """TokenMint.read: one sentence for all but the very token."""
    assert (text == TOKEN) == (not isinstance(MINT.read(text, SID, now_ms=NOW_MS), str))
    assert isinstance(MINT.read(text, SID + "\ud800", now_ms=NOW_MS), str)


@RUNS
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), max_size=8), SEEDS)
def test_a_webhooks_form(pairs: list[tuple[str, str]], seed: int) -> None:
    """The three parsers: a form, or BadWebhook; and no signature fits by chance."""
    rng = random.Random(seed)
    bad = texts(bent(rng, ring(SequenceNumber="1"))) if seed % 2 else []
    asked: list[Callable[[list[tuple[str, str]]], object]] = [
        webhook.parse,
        webhook.parse_call_status,
        webhook.parse_stream_event,
    ]
    for parse in asked:
        try:
            parse([*bad, *pairs])
        except webhook.BadWebhook as trouble:
            assert "\n" not in str(trouble)  # noqa: PT017 - whether it is raised is open
    for signature in (None, "", "x", urlencode(pairs[:1]), "\ud800"):
        assert not VERIFIER.check_form("/twiml/voice", "a=\xff", pairs, signature)
        assert not VERIFIER.check_upgrade("/media", "", signature)


@FEW
@given(
    st.sampled_from([name.upper() for name in config.Config.model_fields]),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=60)
    | st.sampled_from(
        [
            "-1",
            "0",
            "1e9",
            "9" * 400,
            "redis://",
            "sqlite://",
            "a:b:c:d",
            "10/",
            "/60",
            "http://[",
            "[::1",
        ]
    ),
)
def test_a_setting(name: str, value: str) -> None:
    """config.load: settings, or one line that names the setting."""
    with pytest.MonkeyPatch.context() as environment:
        environment.chdir("/")
        for each in config.Config.model_fields:
            environment.delenv(each.upper(), raising=False)
        environment.setenv(name, value)
        try:
            config.load()
        except ConfigError as trouble:
            assert str(trouble).partition(":")[0].replace("_", "").isupper()  # noqa: PT017 - it is open


@FEW
@given(st.binary(max_size=300), st.sampled_from(["json", "csv"]))
@example(b"[" * 100_000, "json")
@example(b'{"+44": 7}', "json")
@example(b'{"+44": {"client_name": ["x"]}}', "json")
@example(b"\xff\xfe", "csv")
@example(b"phone\n" + b'"', "csv")
def test_a_directory(content: bytes, kind: str) -> None:
    """directory.directory: a directory, or one line that names the setting."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"callers.{kind}"
        path.write_bytes(content)
        try:
            directory(str(path))
        except ConfigError as trouble:
            assert str(trouble).startswith("DIRECTORY")  # noqa: PT017 - whether it is raised is open
