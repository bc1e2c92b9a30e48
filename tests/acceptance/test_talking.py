"""A person takes over with their own voice: both hear each other at once, and drops end nothing."""

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from service.audio import SILENCE, samples
from service.clock import Clock
from service.testing.hearing import bare
from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline
from service.testing.textspeech import smooth, spoken, words
from tests.testing.agents import Echo

pytestmark = pytest.mark.timeout(120)

HEARD_MS_MAX = 400
FRAME = samples(20)


class Headset:
    """A person's page: sends 20 ms each 20 ms, and keeps what it hears, echoing marks."""

    def __init__(self, socket: ClientConnection, call_sid: str) -> None:
        self.heard = b""
        self.began_ms = 0
        self._socket = socket
        self._clock = Clock()
        self._to_say = b""
        self._is_over = threading.Event()
        self._send("connected", protocol="Call", version="1.0.0")
        media = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        self._send("start", start={"callSid": call_sid, "streamSid": "MZ9", "mediaFormat": media})
        self._threads = [threading.Thread(target=work) for work in (self._speak, self._listen)]
        for thread in self._threads:
            thread.start()

    def says(self, text: str) -> None:
        self.began_ms = 0
        self._to_say = spoken(text)

    def close(self) -> None:
        self._is_over.set()
        self._socket.close()
        for thread in self._threads:
            thread.join()

    def has_heard(self, text: str) -> bool:
        return " ".join(bare(text)) in " ".join(bare(smooth(words(self.heard))))

    def _send(self, event: str, **body: Any) -> None:
        self._socket.send(json.dumps({"event": event, "streamSid": "MZ9", **body}))

    def _speak(self) -> None:
        begun_ms, number = self._clock.now_ms(), 0
        while not self._is_over.is_set():
            frame, self._to_say = self._to_say[:FRAME], self._to_say[FRAME:]
            if frame and not self.began_ms:
                self.began_ms = self._clock.now_ms()
            payload = b64encode(frame.ljust(FRAME, SILENCE)).decode()
            media = {"track": "inbound", "chunk": str(number + 1), "timestamp": str(number * 20)}
            try:
                self._send("media", media={**media, "payload": payload})
            except ConnectionClosed:
                return
            number += 1
            due_ms = begun_ms + number * 20
            self._is_over.wait(max(0, due_ms - self._clock.now_ms()) / 1_000)

    def _listen(self) -> None:
        try:
            for text in self._socket:
                message = json.loads(text)
                if message["event"] == "media":
                    self.heard += b64decode(message["media"]["payload"])
                elif message["event"] == "mark":
                    self._send("mark", mark=message["mark"])
        except ConnectionClosed:
            return


@contextmanager
def headset(call: PhoneCall) -> Iterator[Headset]:
    url = f"{call.house.url.replace('http', 'ws')}/api/calls/{call.call_sid}/voice?seat=ana"
    with connect(url, additional_headers={"Authorization": f"Bearer {call._bearer}"}) as socket:
        put_on = Headset(socket, call.call_sid)
        try:
            yield put_on
        finally:
            put_on.close()


def taken_call(stayline: Stayline) -> PhoneCall:
    call = stayline.call(agent=Echo)
    call.hears("what can I do for you")
    call.person("takeover", by="Ana", seat="ana")
    return call.until(lambda it: it.journal("taken_over"), "the agent is silent")


def lines(call: PhoneCall) -> list[tuple[str, str, str]]:
    return [(line["who"], line["text"], line["heard"]) for line in call.transcript[1:]]


def test_caller_and_person_hear_each_other_at_once_and_a_drop_ends_neither(
    stayline: Stayline,
) -> None:
    call = taken_call(stayline)
    with headset(call) as ana:
        call.hears_nothing(for_ms=200)
        stretches = len(call.phone.ear.stretches)
        ana.says("good morning this is ana speaking to you")
        call.hears("good morning this is ana speaking to you")
        heard_ms = call.phone.ear.stretches[stretches].start_ms
        assert heard_ms - ana.began_ms <= HEARD_MS_MAX
        call.says("are you a person")
        call.until(lambda _: ana.has_heard("are you a person"), "the person hears the caller")
        call.until(lambda it: len(it.transcript) == 3, "both are written")
        call.drop_stream()
        call.comes_back()
        ana.says("yes i am")
        call.hears("yes i am")
        call.until(lambda it: it.transcript[-1]["heard"] == "yes i am", "it is heard")
        assert [who for who, _, _ in lines(call)] == ["human", "caller", "human"]
        assert all(text and text == heard for who, text, heard in lines(call) if who == "human")
        call.person("handback", seat="ana")
        call.says("thank you")
        call.hears("thank you")
    assert call.transcript[-1]["who"] == "agent"


def test_who_loses_the_socket_keeps_the_seat_and_talks_on_with_the_next(
    stayline: Stayline,
) -> None:
    call = taken_call(stayline)
    for text in ("hello there my friend", "here i am again"):
        with headset(call) as ana:
            ana.says(text)
            call.hears(text)
    assert call.state["taken_over"]["seat"] == "ana"
    assert not call.journal("handed_back")
