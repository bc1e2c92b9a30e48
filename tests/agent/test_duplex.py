"""The boundary is kept by whatever stands behind it: the session with OpenAI, and the agent that opens it."""

import inspect

import pytest

from service.agent.duplex import ResumeRefused, SpeechAgent, SpeechSession
from service.agent.realtime.realtime import Realtime
from service.agent.realtime.session import RealtimeSession
from service.errors import BrainError


@pytest.mark.parametrize(
    ("promise", "kept"), [(SpeechSession, RealtimeSession), (SpeechAgent, Realtime)]
)
def test_every_promised_method_is_there_with_its_parameters(promise: type, kept: type) -> None:
    for name, method in vars(promise).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            promised = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(kept, name)).parameters) == promised, name


def test_a_refused_handle_is_trouble_of_the_brain() -> None:
    assert issubclass(ResumeRefused, BrainError)
