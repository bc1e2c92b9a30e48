"""The boundary of the brains: a turn in, acts out.

An agent holds no durable state. What it needs to know of the conversation stands in the `Call` it is
given; what it decides it yields as acts, which are written to the journal before anything is done.
So any process can ask any agent for the next turn of any call.

    class Echo:
        async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
            yield Say("Hello." if turn.reason == "opening" else f"You said: {turn.text}")
"""

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Protocol

from service.agent.chat.chat import Chat
from service.agent.chat.settings import ChatSettings
from service.agent.duplex import SpeechAgent
from service.agent.functions import Collects
from service.agent.intake.intake import Intake
from service.call.acts import Act
from service.call.state import Call, Turn
from service.errors import ConfigError
from service.tools.toolbox import Toolbox
from service.tools.toolfile import environment

ENTRY_POINTS = "stayline.agents"
INSTALL_BRAINS = "install Stayline with the [brains] extra"


class Agent(Protocol):
    """Decides what to say.

    An agent may have `phrases`, texts that it says often: they are spoken in advance, at the start. It
    may have `async def close()`, which is called at the end.
    """

    def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """Answer a turn. `call` is the state as of the turn; acts are taken in the order yielded.

        A turn may be asked again (after a crash, or when the caller went on speaking): only the
        newest answer counts, and an answer counts wholly or not at all. Raising is allowed: the
        caller hears an apology and the call goes on.
        """
        ...


def agent(name: str, toolbox: Toolbox, *, collects: Collects = "") -> Agent | SpeechAgent:
    """Return the agent that the AGENT setting names.

    `intake`, `chat` and `realtime` are built in, and know the tools of `toolbox`; others are found as entry points of
    the group `stayline.agents`, or as `module:Class`, of either kind. `collects` is what models are offered to collect
    under seal, see Functions. Raises ConfigError when there is none of that name.
    """
    if name == "intake":
        return Intake(frozenset(toolbox.names()))
    if name == "chat":
        settings = ChatSettings.from_environment(environment())
        return Chat(settings, toolbox.described(), toolbox.check, collects=collects)
    if name == "realtime":
        return _realtime(toolbox, collects=collects)
    if ":" in name:
        return _imported(name)
    for point in entry_points(group=ENTRY_POINTS, name=name):
        return _made(name, point.load)
    raise ConfigError(
        f"AGENT={name}: no agent of this name; use intake, chat, realtime, or module:Class"
    )


def _realtime(toolbox: Toolbox, *, collects: Collects) -> SpeechAgent:
    """Return the speech-to-speech agent, whose packages are an extra."""
    try:
        module = import_module("service.agent.realtime.realtime")
    except ImportError as missing:
        raise ConfigError(f"AGENT=realtime: {missing}: {INSTALL_BRAINS}") from missing
    made: SpeechAgent = module.Realtime.from_environment(toolbox, collects=collects)
    return made


def _imported(name: str) -> Agent | SpeechAgent:
    module_name, _, class_name = name.partition(":")
    return _made(name, lambda: getattr(import_module(module_name), class_name))


def _made(name: str, load: Callable[[], Any]) -> Agent | SpeechAgent:
    try:
        made: Agent | SpeechAgent = load()()
    except Exception as trouble:  # the user's code may raise anything while it is loaded or made
        raise ConfigError(f"AGENT={name}: {type(trouble).__name__}: {trouble}") from trouble
    if not isinstance(made, SpeechAgent) and not callable(getattr(made, "reply", None)):
        raise ConfigError(
            f"AGENT={name}: the class has no method `reply(call, turn)`, nor `open` and `functions`"
        )
    return made
