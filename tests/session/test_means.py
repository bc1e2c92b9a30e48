import inspect

import pytest

from service.session.means import Socket, Speech
from service.speech.engines.absent import AbsentSpeech
from service.speech.pool import SpeechPool
from service.web.stream.socket import MediaSocket
from tests.session.parts import MemorySocket, ScriptedSpeech


@pytest.mark.parametrize(
    ("promise", "kept_by"),
    [
        (Speech, SpeechPool),
        (Speech, AbsentSpeech),
        (Speech, ScriptedSpeech),
        (Socket, MediaSocket),
        (Socket, MemorySocket),
    ],
)
def test_what_a_session_is_given_keeps_the_promise(promise: type, kept_by: type) -> None:
    for name, promised in inspect.getmembers(promise, inspect.isfunction):
        if name.startswith("_"):
            continue
        kept = inspect.signature(getattr(kept_by, name))
        is_awaited = inspect.iscoroutinefunction(promised)
        assert inspect.iscoroutinefunction(getattr(kept_by, name)) == is_awaited
        assert set(inspect.signature(promised).parameters) <= set(kept.parameters)
