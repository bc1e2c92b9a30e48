"""The only place where the parts meet: one function, all routes in one list."""

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from service import config as settings
from service.agent.agent import Agent, agent as make_agent
from service.agent.duplex import SpeechAgent
from service.call.policy import Policy, ToolTerms
from service.carrier import Carrier
from service.clock import Clock
from service.config import Config
from service.directory import Directory, directory
from service.documents import Documents
from service.errors import ConfigError, EngineMissing, SpeechError, StoreError
from service.journal.journal import Journal
from service.journal.stores import connect
from service.meter import Meter
from service.session.means import Means
from service.session.phrases import phrases
from service.session.tasks import Tasks
from service.speech.absent import AbsentSpeech
from service.speech.endpoint import Endpointer
from service.speech.pool import SpeechPool
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.speech.vad import voice_activity
from service.switchboard import Switchboard
from service.token import TokenMint
from service.tools.toolbox import Toolbox
from service.web.api import Api
from service.web.bearer import Bearers
from service.web.form import SignedForm
from service.web.health import Health
from service.web.media import Media
from service.web.problem import HANDLERS
from service.web.returns import Returns
from service.web.voice import Voice
from twiml.signature import Verifier

SWEEP_S = 30.0  # expired calls are gone at most this much later than their time to live

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that is made once per application."""

    config: Config
    policy: Policy
    clock: Clock
    meter: Meter
    journal: Journal
    speech: SpeechPool | AbsentSpeech
    has_own_ear: bool
    directory: Directory
    toolbox: Toolbox
    agent: Agent | SpeechAgent
    tasks: Tasks
    carrier: Carrier
    documents: Documents
    mint: TokenMint
    verifier: Verifier
    switchboard: Switchboard


@dataclass(frozen=True, kw_only=True)
class Own:
    """What a test or an application of one's own puts in the place of what the settings name."""

    agent: Agent | SpeechAgent | None = None
    speech: SpeechPool | None = None
    endpointer: Callable[[], Endpointer] | None = None
    toolbox: Toolbox | None = None
    directory: Directory | None = None


NOTHING_OWN = Own()


def create_app(config: Config | None = None, *, own: Own = NOTHING_OWN) -> Starlette:
    """Return the application. Reads the settings when none are given; raises ConfigError."""
    parts = _parts(config or settings.load(), own)
    health = Health(
        journal=parts.journal, clock=parts.clock, meter=parts.meter, speech=_speech_status(parts)
    )
    app = Starlette(
        routes=[
            *_voice(parts).routes(),
            *_media(parts).routes(),
            *_api(parts).routes(),
            *health.routes(),
        ],
        exception_handlers=HANDLERS,
        lifespan=lambda _app: _lifespan(parts, health),
    )
    # A redirect to the path without its slash would go to whatever Host the sender wrote, unsigned.
    app.router.redirect_slashes = False
    app.state.parts = parts
    return app


def _parts(config: Config, own: Own) -> Parts:
    clock, meter, tasks = Clock(), Meter(), Tasks()
    toolbox = own.toolbox or Toolbox.load(config.tools)
    policy = _policy(config, toolbox)
    journal = connect(config.store_url, ttl_ms=config.call_ttl_s * 1000)
    mint = TokenMint(config.twilio_auth_token)
    verifier, documents = _addressed(config, mint)
    carrier = Carrier(
        config.twilio_account_sid,
        config.twilio_auth_token[0],
        config.twilio_api_url,
        random.SystemRandom(),
    )
    speech = own.speech or _speech()
    means = Means(
        journal=journal,
        carrier=carrier,
        agent=own.agent or make_agent(config.agent, toolbox),
        speech=speech,
        endpointer=own.endpointer or (lambda: Endpointer(voice_activity())),
        documents=documents,
        clock=clock,
        meter=meter,
        policy=policy,
        toolbox=toolbox,
        owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
        tasks=tasks,
    )
    return Parts(
        config=config,
        policy=policy,
        clock=clock,
        meter=meter,
        journal=journal,
        speech=speech,
        has_own_ear=own.endpointer is not None,
        directory=own.directory or directory(config.directory),
        toolbox=toolbox,
        agent=means.agent,
        tasks=tasks,
        carrier=carrier,
        documents=documents,
        mint=mint,
        verifier=verifier,
        switchboard=Switchboard(means),
    )


def _policy(config: Config, toolbox: Toolbox) -> Policy:
    terms = {name: toolbox.terms(name) for name in toolbox.names()}
    return Policy(
        config.drops_max,
        config.drop_window_ms,
        tools={
            name: ToolTerms(one.is_idempotent, one.attempts_max, one.timeout_ms, one.approval_ms)
            for name, one in terms.items()
        },
        summary_tool=toolbox.summary_tool,
    )


def _addressed(config: Config, mint: TokenMint) -> tuple[Verifier, Documents]:
    """Return what is bound to our own address. Raises ConfigError before a caller meets the fault."""
    try:
        verifier = Verifier(config.twilio_auth_token, config.public_url)
    except ValueError as trouble:
        raise ConfigError(f"PUBLIC_URL: {trouble}") from trouble
    documents = Documents(
        config.public_url, mint, lambda: secrets.token_urlsafe(12), config.transfer_to
    )
    return verifier, documents


def _speech_status(parts: Parts) -> str:
    return "absent" if isinstance(parts.speech, AbsentSpeech) else "ready"


def _speech() -> SpeechPool | AbsentSpeech:
    """Return the local engines, or what says that they are not installed."""
    try:
        return SpeechPool(synthesizer(), recognizer())
    except EngineMissing as missing:
        return AbsentSpeech(missing)


def _voice(parts: Parts) -> Voice:
    config = parts.config
    return Voice(
        form=SignedForm(parts.verifier, config.twilio_account_sid, parts.meter),
        journal=parts.journal,
        directory=parts.directory,
        documents=parts.documents,
        switchboard=parts.switchboard,
        clock=parts.clock,
        meter=parts.meter,
        policy=parts.policy,
        returns=Returns(parts.policy.drops_max, parts.policy.window_ms),
    )


def _media(parts: Parts) -> Media:
    return Media(
        verifier=parts.verifier,
        mint=parts.mint,
        journal=parts.journal,
        switchboard=parts.switchboard,
        clock=parts.clock,
        meter=parts.meter,
        account_sid=parts.config.twilio_account_sid,
        admits_unsigned=parts.config.lookalike_carriers,
    )


def _api(parts: Parts) -> Api:
    return Api(
        journal=parts.journal,
        carrier=parts.carrier,
        documents=parts.documents,
        bearers=Bearers(parts.config.api_tokens, parts.meter),
        clock=parts.clock,
    )


@asynccontextmanager
async def _lifespan(parts: Parts, health: Health) -> AsyncIterator[None]:
    """Open the store, warm the voice, serve; then write where every call stands and close."""
    await parts.journal.start()
    beside = [asyncio.create_task(_sweep(parts))]
    try:
        await _warm_up(parts)
        beside.append(asyncio.create_task(_rehearse(parts)))
        yield
    finally:
        health.is_draining = True
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await parts.switchboard.close()
        await parts.tasks.close()
        await parts.toolbox.close()
        await _close_agent(parts.agent)
        await parts.speech.close()
        await parts.journal.close()


async def _warm_up(parts: Parts) -> None:
    """Load the models before the first call, so that no caller waits for them."""
    try:
        if not parts.has_own_ear:
            await asyncio.to_thread(voice_activity)
        spoken = await parts.speech.render("Hello.", within_ms=60_000)
        await parts.speech.transcribe(spoken, 60_000)
    except SpeechError as trouble:
        _log.warning("! %s", trouble, extra={"action": "warm_up_failed"})


async def _close_agent(agent: object) -> None:
    """Let an agent go that has something to close; most have nothing."""
    close = getattr(agent, "close", None)
    if close is None:
        return
    try:
        await close()
    except Exception:  # noqa: BLE001 - the agent is the user's code: the rest is closed all the same
        _log.exception("! the agent can't be closed", extra={"action": "agent_failed"})


async def _rehearse(parts: Parts) -> None:
    """Speak what is said in many calls, one after the other, so that it is in the cache."""
    try:
        for phrase in phrases(parts.agent):
            await parts.speech.render(phrase, call="rehearsal")
    except SpeechError as trouble:
        _log.warning("! %s", trouble, extra={"action": "rehearsal_failed"})


async def _sweep(parts: Parts) -> None:
    """Erase what is past its time to live."""
    while True:
        await asyncio.sleep(SWEEP_S)
        try:
            erased = await parts.journal.sweep(now_ms=parts.clock.now_ms())
        except StoreError as trouble:
            parts.meter.store_errors.inc()
            _log.error("! the sweep failed: %s", trouble, extra={"action": "sweep_failed"})
            continue
        if erased:
            _log.info("= %d calls expired", erased, extra={"action": "calls_expired"})
