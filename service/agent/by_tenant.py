"""An agent for each tenant, as one agent: every turn goes to the one of the call's tenant."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from service.agent.agent import Agent
from service.call.acts import Act
from service.call.state import Call, Turn


class ByTenant:
    """Asks the agent in `others` that stands for the call's tenant, and `own` for everybody else."""

    def __init__(self, own: Agent, others: Mapping[str, Agent]) -> None:
        self._own = own
        self._others = dict(others)

    def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """See Agent.reply."""
        return self._others.get(call.tenant, self._own).reply(call, turn)

    @property
    def phrases(self) -> tuple[str, ...]:
        """What any of them says often."""
        return tuple(
            dict.fromkeys(text for one in self._all for text in getattr(one, "phrases", ()))
        )

    @property
    def offers_earlier(self) -> bool:
        """Whether all of them offer to go on with an earlier call."""
        return all(getattr(one, "offers_earlier", False) for one in self._all)

    async def close(self) -> None:
        """Close those that can be closed."""
        for one in self._all:
            if hasattr(one, "close"):
                await one.close()

    @property
    def _all(self) -> list[Any]:
        return [self._own, *self._others.values()]
