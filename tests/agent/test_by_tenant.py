from collections.abc import AsyncIterator

import pytest

from service.agent.by_tenant import ByTenant
from service.call.acts import Act, Say
from service.call.state import Call, Turn


class Named:
    """Says its name, and often the same."""

    def __init__(self, name: str, *, offers_earlier: bool = False) -> None:
        self.phrases = ("Hello.", name)
        self.offers_earlier = offers_earlier
        self.is_closed = False

    async def reply(self, _call: Call, _turn: Turn) -> AsyncIterator[Act]:
        yield Say(self.phrases[1])

    async def close(self) -> None:
        self.is_closed = True


class Plain:
    """An agent with nothing but the one method."""

    async def reply(self, _call: Call, _turn: Turn) -> AsyncIterator[Act]:
        yield Say("plain")


async def said(one: ByTenant, tenant: str) -> list[Act]:
    return [act async for act in one.reply(Call(tenant=tenant), Turn(1, "opening"))]


@pytest.mark.asyncio
async def test_each_call_is_answered_by_its_tenants_agent() -> None:
    one = ByTenant(Named("own"), {"acme": Named("acme"), "best": Plain()})
    assert await said(one, "default") == [Say("own")]
    assert await said(one, "acme") == [Say("acme")]
    assert await said(one, "best") == [Say("plain")]
    assert await said(one, "nobody") == [Say("own")]


@pytest.mark.asyncio
async def test_what_agents_may_have_is_had_of_all() -> None:
    own, acme = Named("own", offers_earlier=True), Named("acme", offers_earlier=True)
    one = ByTenant(own, {"acme": acme})
    assert one.phrases == ("Hello.", "own", "acme")
    assert one.offers_earlier
    assert not ByTenant(own, {"best": Plain()}).offers_earlier
    await ByTenant(own, {"acme": acme, "best": Plain()}).close()
    assert own.is_closed
    assert acme.is_closed
