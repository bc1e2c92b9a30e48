"""What a test gets as `stayline`: a telephone exchange, and calls to agents under test.

    test ──> PhoneCall ──> exchange (Twilio's stand-in) ══ real sockets ══> Server (the real application)
                                                                                  │
                                                              your agent, the journal (SQLite)

Everything runs in this process, in threads of its own, on free ports of the loopback address. A server
is started at the first call to its agent, and ended with the test.
"""

import secrets
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from starlette.applications import Starlette
from typing_extensions import override

from service.agent.agent import Agent
from service.app import create_app
from service.call.acts import Act
from service.call.state import Call, Turn
from service.clock import Clock
from service.config import Config
from service.parts import Own
from service.simulator.account import Account, Pace, Terms, new_sid
from service.simulator.answering import party
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.speech.pool import SpeechPool
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.testing.confessions import Confessions
from service.testing.house import House
from service.testing.phone_call import LOOK_MS, PhoneCall
from service.testing.quick_ear import quick_ear
from service.testing.story import Unmet
from service.testing.textspeech import TextRecognizer, TextSynthesizer
from service.testing.thread import LoopThread
from service.testing.toolbench import ToolBench
from service.trust.api_token import ApiToken

CALLS_MAX = 200  # of one test; more belong into a load test against a server of its own
CALLEE = "+15550100"
RUNG_WITHIN_MS = 20_000  # three seconds after the call, and a second or two until it is seen to
PACE = Pace(  # the carrier's, but in a hurry
    say_ms_per_letter=1,
    digit_ms=20,
    wait_ms=50,
    dial_ms=100,
    prompt_ms=100,
    connector_ms=50,
    redial_ms=100,
    notice_ms=100,
    turn_ms=350,  # longer than half a word survives in the ear, as the carrier's own 700 ms are
    hold_ms=500,
    late_ms=50,
)

T = TypeVar("T")
AnyAgent = Agent | type[Any] | Callable[[], Agent] | str


class _Settings(Config):
    """Settings of a test: neither the environment nor a file `.env` has a say."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class Callers:
    """Who calls from which number: what the tests said of their callers. See directory.Directory."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, str]] = {}

    async def lookup(self, number: str) -> dict[str, str]:
        """See Directory.lookup."""
        return dict(self.known.get(number, {}))


class Stayline:
    """Calls to agents under test. `settings` are the service's, by their names in small letters."""

    def __init__(self, folder: Path, settings: Mapping[str, Any] | None = None) -> None:
        self.tools = ToolBench()
        self.calls: list[PhoneCall] = []
        self._settings = {
            "store_url": f"sqlite:////{(folder / 'stayline.db').as_posix().lstrip('/')}",
            "write_behind": str(folder / "behind"),
            **(settings or {}),
        }
        self._account = Account(new_sid("AC"), secrets.token_hex(16))
        self._bearer = secrets.token_urlsafe(16)
        self._callers = Callers()
        self._houses: dict[tuple[object, bool], House] = {}
        self._is_closed = False
        self._clock = Clock()
        self._confessions = Confessions().__enter__()
        self._thread = LoopThread("the carrier", _nothing)
        self._exchange = Exchange(self._account, terms=Terms(pace=PACE))
        self._thread.do(self._exchange.__aenter__())

    def call(
        self,
        agent: AnyAgent = "intake",
        *,
        client_name: str = "",
        company: str = "",
        ticket_id: str = "",
        from_: str = "",
        to: str = CALLEE,
        audio: bool = False,
        terms: Terms | None = None,
        agent_may_fail: bool = False,
    ) -> PhoneCall:
        """Let a caller ring, and return once a media stream carries the call.

        `agent` is what the setting AGENT may name, a class (made anew at each start of the server, as in
        production), or an object (kept over restarts, so that what it remembers survives: in production
        it would not; and it is the test that closes it). The three names are what the directory knows of the caller. With `audio` the real
        engines speak and listen (the extra `speech`). `terms` are how the carrier behaves. An exception
        of the agent fails the test unless `agent_may_fail`.
        """
        if len(self.calls) >= CALLS_MAX:
            raise RuntimeError(f"a test makes at most {CALLS_MAX} calls")
        number = from_ or f"+1555{len(self.calls) + 1:07}"
        known = {"client_name": client_name, "company": company, "ticket_id": ticket_id}
        self._callers.known[number] = {name: text for name, text in known.items() if text}
        house = self._house(agent, audio=audio)
        phone = self._thread.do(self._ring(house, number, to, terms))
        return self._held(phone, house, audio=audio, agent_may_fail=agent_may_fail)

    def answers(self, number: str, *outcomes: str) -> None:
        """Say how a caller answers when the service rings them, time after time: `busy`, `answered:200ms`."""
        parties = tuple(map(party, outcomes))
        self._thread.do(_at_once(lambda: self._exchange.expect(number, *parties)))

    def rung(self, call: PhoneCall, *, within_ms: int = RUNG_WITHIN_MS) -> PhoneCall:
        """Wait until the service has rung the caller of `call` and a media stream carries that call."""
        known = {one.call_sid for one in self.calls}

        def new() -> Phone | None:
            rung = self._exchange.rung(call.phone.from_)
            return next((one for one in rung if one.is_live and one.call_sid not in known), None)

        deadline_ms = self._clock.now_ms() + within_ms
        while (phone := self._thread.do(_at_once(new))) is None:
            if self._clock.now_ms() >= deadline_ms:
                raise Unmet(f"is rung back: not within {within_ms} ms\n{call.story()}")
            threading.Event().wait(LOOK_MS / 1_000)
        return self._held(phone, call.house, audio=False, agent_may_fail=call.agent_may_fail)

    def _held(self, phone: Phone, house: House, *, audio: bool, agent_may_fail: bool) -> PhoneCall:
        call = PhoneCall(
            phone,
            house,
            thread=self._thread,
            clock=self._clock,
            confessions=self._confessions,
            bearer=self._bearer,
            audio=audio,
            agent_may_fail=agent_may_fail,
        )
        self.calls.append(call)
        call.comes_back()
        return call

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Offer a function to the agents as a tool, under its own name; for terms see `tools.add`."""
        self.tools.add(function)
        return function

    def story(self) -> str:
        """Return the stories of all calls, for people."""
        return "\n\n".join(map(_story, self.calls))

    def close(self) -> None:
        """End every call and every server; nothing is left running. Closing twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._thread.do(self._exchange.__aexit__(None, None, None))
        finally:
            self._thread.halt()
            for house in self._houses.values():
                house.close()
            self._confessions.__exit__(None, None, None)

    @property
    def was_told(self) -> bool:
        """Whether the story of a call was told already, by the error that failed the test."""
        return any(call.was_told for call in self.calls)

    def unheard(self) -> BaseException | None:
        """Return what an agent raised though it may not, the first one; None when all is well."""
        calls = [call for call in self.calls if not call.agent_may_fail and not call.was_told]
        return next((error for call in calls for error in call.agent_errors), None)

    async def _ring(self, house: House, number: str, to: str, terms: Terms | None) -> Any:
        self._exchange.route(house.url)
        return await self._exchange.call(from_=number, to=to, terms=terms)

    def _house(self, agent: AnyAgent, *, audio: bool) -> House:
        key = (agent if isinstance(agent, str) else id(agent), audio)
        if key not in self._houses:
            if audio:  # Say at once which engine is missing.
                synthesizer()
                recognizer()
            house = House(lambda url: self._app(url, agent, audio=audio))
            self._houses[key] = house
            house.open()
        return self._houses[key]

    def _app(self, url: str, agent: AnyAgent, *, audio: bool) -> Starlette:
        named = {"agent": agent} if isinstance(agent, str) else {}
        settings: dict[str, Any] = {
            "public_url": url,
            "twilio_account_sid": self._account.account_sid,
            "twilio_auth_token": (self._account.auth_token,),
            "twilio_api_url": self._exchange.api_url,
            "api_tokens": (ApiToken(token=self._bearer, role="admin"),),
            **named,
            **self._settings,
        }
        own = Own(
            agent=None if isinstance(agent, str) else _made(agent),
            speech=None if audio else SpeechPool(TextSynthesizer(), TextRecognizer()),
            endpointer=None if audio else quick_ear,
            directory=None if "directory" in self._settings else self._callers,
            toolbox=None if "tools" in self._settings else self.tools,
        )
        return create_app(_Settings(**settings), own=own)


def _made(agent: Any) -> Agent:
    """Return the agent: an object as it is, a class or a function called. Raises TypeError for neither."""
    is_made = not isinstance(agent, type) and hasattr(agent, "reply")
    made = agent() if callable(agent) and not is_made else agent
    if not callable(getattr(made, "reply", None)):
        raise TypeError(f"{type(made).__name__} is no agent: it has no method `reply(call, turn)`")
    outlives = is_made and hasattr(made, "close")
    found: Agent = _Kept(made) if outlives else made
    return found


def _story(call: PhoneCall) -> str:
    try:
        return call.story()
    except Exception as trouble:  # noqa: BLE001 - a report of a failed test must not fail itself
        return f"call {call.call_sid}: its story can't be told, {trouble}"


class _Kept:
    """An agent that a test made: it outlives its servers, so they don't get to close it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """See Agent.reply."""
        return self._agent.reply(call, turn)

    def __getattr__(self, name: str) -> Any:
        if name == "close":
            raise AttributeError(name)
        return getattr(self._agent, name)


async def _at_once(ask: Callable[[], T]) -> T:
    """Ask on the loop that the answer lives on."""
    return ask()


def _nothing() -> None:
    """Do nothing."""
