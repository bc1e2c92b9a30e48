import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from service.agent.account import NO_KEY
from service.agent.agent import Agent
from service.agent.chat.chat import Chat
from service.agent.chat.settings import ChatSettings
from service.call import events as e, inputs as i
from service.call.policy import Policy, ToolTerms
from service.call.state import Field
from service.errors import BrainError, ConfigError
from service.tools.terms import Description
from tests.call.story import Story
from tests.standins.chat_completions import Called, Refusal, Server, Speech, serving

LOOKUP = Description(
    "lookup",
    "Looks a ticket up.",
    {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
)
TERMS = ToolTerms(is_idempotent=True, attempts_max=2, timeout_ms=4_000)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as one:
        yield one
        assert not one.wrongs


class Talk:
    """A call in memory that a model answers; each turn is answered by another process."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.story = Story(Policy(tools={"lookup": TERMS}))
        self.story.opened(client_name="Maria Lopez", ticket_id="TKT-7")
        self.streams = 0
        self.come_back()

    def come_back(self) -> None:
        self.streams += 1
        self.story.attach(f"MZ{self.streams}", gap_ms=200)

    async def answer(self, *script: Speech, is_heard: bool = True) -> None:
        """Have the open turn answered, each sentence written as it comes."""
        self.server.script.extend(script)
        settings = ChatSettings(
            model="m", base_url=self.server.url, api_key=self.server.key or NO_KEY
        )
        agent = Chat(settings, (LOOKUP,))
        turn = self.story.call.turn
        assert turn is not None
        try:
            acts = [act async for act in agent.reply(self.story.call, turn)]
        finally:
            await agent.close()
        self.story.happen(i.Answered(turn.number, tuple(acts)))
        if is_heard:
            self.story.hear_out()

    async def say(self, text: str, *script: Speech, is_heard: bool = True) -> None:
        self.story.happen(i.SpeechBegan())
        self.story.happen(i.Utterance(text, duration_ms=1_000))
        await self.answer(*script, is_heard=is_heard)

    @property
    def last_asked(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.server.asked[-1]["messages"]
        return messages


@pytest.mark.asyncio
async def test_a_call_is_talked_through_by_a_model_over_drops_and_processes(server: Server) -> None:
    talk = Talk(server)
    await talk.answer(Speech("Hello Maria, this is support. Which company are you calling from?"))
    assert talk.story.call.fields["name"] == Field("Maria Lopez", source="directory", at_ms=talk.story.now_ms)  # fmt: skip
    assert talk.story.call.asked == "company"
    noted = Called.of("remember", field="company", value="Acme")
    look = Called.of("lookup", id="TKT-7")
    await talk.say("From Acme.", Speech("Acme, thank you. I will look that up.", calls=(noted, look)))  # fmt: skip
    assert talk.story.call.fields["company"].value == "Acme"
    talk.story.drop()
    talk.story.happen(i.OperationDone("t2.1", 1, "succeeded", '{"status": "open", "by": "Li"}'))
    talk.come_back()
    assert talk.story.call.turn is not None
    await talk.answer(Speech("It is open, and Doctor Li works on it. Anything else?"), is_heard=False)  # fmt: skip
    assert talk.last_asked[-1]["content"] == '{"status": "open", "by": "Li"}'
    talk.story.happen(i.SpeechBegan())
    heard = e.Played(
        prompt=talk.story.call.prompts[0].prompt, clauses=0, part_words=3, part_samples=900,
        part_of_samples=9_000, heard_samples=900,
    )  # fmt: skip
    talk.story.happen(i.Utterance("Who works on it?", duration_ms=900, played=(heard,)))
    await talk.answer(Speech("Doctor Li does. Goodbye.", calls=(Called("hang_up"),)))
    *_, said, question = talk.last_asked
    assert said["content"] == "It is open,"
    assert "\nWho works on it?" in question["content"]
    assert '"and Doctor Li works on it."' in question["content"]
    assert talk.story.effects[-1] == i.EndCall()


def test_it_is_an_agent_and_shows_no_key() -> None:
    agent: Agent = Chat(ChatSettings(api_key="sk-secret"))
    assert "secret" not in repr(vars(agent))


def test_without_the_library_one_line_tells_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "service.agent.chat.completion", raising=False)
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigError) as wrong:
        Chat(ChatSettings())
    assert str(wrong.value) == "AGENT=chat: install stayline[brains] for the openai library"


@pytest.mark.asyncio
async def test_a_model_that_fails_is_an_error_of_the_brain(server: Server) -> None:
    talk = Talk(server)
    server.script.append(Refusal(404, "model_not_found"))
    with pytest.raises(BrainError, match=r"answered 404 \(model_not_found\)"):
        await talk.answer()


@pytest.mark.asyncio
async def test_a_local_server_is_asked_without_a_key() -> None:
    async with serving(key="") as server:
        talk = Talk(server)
        await talk.answer(Speech("Hello."))
        assert talk.story.call.transcript[0].heard == "Hello."
