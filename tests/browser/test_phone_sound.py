"""The sound of the phone in a browser: the codec, the filters, the marks, and a voice in the microphone."""

import audioop
from typing import Any

import pytest
from playwright.sync_api import Page

from service.testing.house import House
from tests.browser import caller

SECOND = 50  # messages of 20 ms

TONE = """async ([from, to, hertz]) => {
  const { Resampler } = await import('/static/phone/resample.js');
  const resampler = new Resampler(from, to), out = [];
  for (let at = 0; at < from; at += 128) {
    const block = Float32Array.from({length: 128}, (_, k) => Math.sin(2 * Math.PI * hertz * (at + k) / from));
    resampler.push(block, (sample) => out.push(sample));
  }
  const middle = out.slice(1000, -1000);
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return {samples: out.length, db: 10 * Math.log10(2 * power)};
}"""


@pytest.fixture(scope="module")
def microphone_ulaw() -> tuple[str, ...]:
    return ("caller_sarah_long.ulaw",)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"phone": "open"}


@pytest.fixture
def phone(page: Page, house: House) -> Page:
    page.goto(house.url + "/phone")
    return page


def test_mu_law_is_the_servers(phone: Page) -> None:
    every = bytes(range(256))
    decoded = phone.evaluate(
        "async () => { const {decode} = await import('/static/phone/mulaw.js');"
        " return Array.from({length: 256}, (_, byte) => Math.round(decode(byte) * 32768)); }"
    )
    pcm = audioop.ulaw2lin(every, 2)
    assert decoded == [
        int.from_bytes(pcm[at : at + 2], "little", signed=True) for at in range(0, 512, 2)
    ]
    again = phone.evaluate(
        "async (samples) => { const {encode} = await import('/static/phone/mulaw.js');"
        " return samples.map((sample) => encode(sample / 32768)); }",
        decoded,
    )
    assert bytes(again) == every.replace(b"\x7f", b"\xff")  # two zeros: one is enough


@pytest.mark.parametrize(("of", "to"), [(48_000, 8_000), (44_100, 8_000), (8_000, 48_000)])
def test_speech_passes_the_filter_whole_at_any_rate(phone: Page, of: int, to: int) -> None:
    for hertz in (300, 1_000, 3_000):
        told = phone.evaluate(TONE, [of, to, hertz])
        assert abs(told["db"]) < 0.2, hertz
        assert abs(told["samples"] - to) <= to // 100


@pytest.mark.parametrize("hertz", [4_600, 6_000, 9_000])
def test_what_a_telephone_can_not_carry_does_not_fold_back(phone: Page, hertz: int) -> None:
    assert phone.evaluate(TONE, [48_000, 8_000, hertz])["db"] < -60


def test_marks_come_back_after_their_sound_and_all_at_once_when_it_is_cleared(phone: Page) -> None:
    told = phone.evaluate("""async () => {
      const { Playout } = await import('/static/phone/playout.js');
      const playout = new Playout(), step = new Float32Array(8), heard = [];
      const play = (ms) => { for (let n = 0; n < ms; n += 1) {
        playout.take(step); for (const name of playout.heard()) heard.push([name, playout.played_samples / 8]); } };
      playout.latency_ms = 5;
      playout.mark('first'); play(10);
      playout.put(new Uint8Array(800)); playout.mark('second');
      playout.put(new Uint8Array(80)); playout.mark('third');
      play(50); const early = heard.length; play(150);
      playout.put(new Uint8Array(160)); playout.mark('a'); playout.mark('b');
      play(30); const short = playout.played_samples / 8; play(60);
      playout.put(new Uint8Array(8000)); playout.mark('c'); playout.mark('d'); play(20);
      return {heard, early, short, cleared: playout.clear(), left: playout.buffered_ms};
    }""")
    assert told["early"] == 1
    assert [name for name, _ in told["heard"]] == ["first", "second", "third", "a", "b"]
    assert dict(told["heard"])["second"] >= 100
    assert told["short"] == 110  # a short piece waits for more, but no longer than 60 ms
    assert told["cleared"] == ["c", "d"]
    assert told["left"] == 0


def test_a_voice_in_the_microphone_reaches_the_server(page: Page, house: House) -> None:
    sent: list[str] = []
    page.on("websocket", lambda it: it.on("framesent", lambda text: sent.append(str(text))))
    call_sid = caller.dial(page, house.url)
    for _ in range(caller.LOOKS_MAX):
        if sum('"media"' in text for text in sent) >= SECOND:
            break
        page.wait_for_timeout(caller.LOOK_MS)
    assert sum('"media"' in text for text in sent) >= SECOND
    assert caller.call_of(page, house.url, call_sid)["streams"][0]["gap_ms"] < 2_000
