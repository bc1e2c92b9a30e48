"""The brain `chat`: any server that speaks OpenAI's chat completions, asked anew in each turn.

It keeps nothing: what was said, heard and done stands in the call, so any process can go on with any
turn, even in the middle of an answer. How a turn is answered is in answering.py.

    chat = Chat(ChatSettings.from_environment(os.environ), toolbox.described(), toolbox.check)
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from importlib import import_module
from typing import Any

from service.agent.chat.answering import Answering
from service.agent.chat.model import Model
from service.agent.chat.settings import ChatSettings
from service.agent.functions import Collects, Functions
from service.call.acts import Act
from service.call.state import Call, Turn
from service.errors import ConfigError
from service.tools.terms import Description


class Chat:
    """An agent that asks a model. One per process; `close` ends its connections.

    `tools` are what the model may use beside the built-in functions; `check` raises ToolArguments for
    arguments that fit a tool's schema and can't be used all the same; for `collects` see Functions. Raises ConfigError when the
    `openai` library is not installed.
    """

    offers_earlier = True

    def __init__(
        self,
        settings: ChatSettings,
        tools: Sequence[Description] = (),
        check: Callable[[str, dict[str, Any]], None] | None = None,
        *,
        collects: Collects = "",
    ) -> None:
        self._settings = settings
        self._functions = Functions(tools, check, collects=collects)
        self._model = _model(settings)

    async def reply(self, call: Call, turn: Turn) -> AsyncGenerator[Act, None]:
        """Answer a turn: see Agent.reply. Raises BrainError when the model gave no answer at all."""
        answering = Answering(self._settings, self._functions, self._model, call, turn)
        async with aclosing(answering.acts()) as acts:
            async for act in acts:
                yield act

    async def close(self) -> None:
        """End every connection to the model's server."""
        await self._model.close()


def _model(settings: ChatSettings) -> Model:
    try:
        module = import_module("service.agent.chat.completion")
    except ModuleNotFoundError as missing:
        if missing.name != "openai":
            raise
        raise ConfigError("AGENT=chat: install stayline[brains] for the openai library") from None
    made: Model = module.OpenAiModel(settings)
    return made
