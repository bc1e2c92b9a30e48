"""What is made once per application, from its settings, and how the parts fit together."""

import os
import random
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from service.agent.agent import Agent, agent as make_agent
from service.agent.by_tenant import ByTenant
from service.agent.duplex import SpeechAgent
from service.call.policy import Policy, ToolTerms
from service.carrier import Carrier, Outward
from service.clock import Clock
from service.collecting import collected, pay_terms, pays, sink
from service.config import Config
from service.directory import Directories, Directory, directory
from service.documents import Documents
from service.errors import ConfigError, EngineMissing
from service.journal.behind.bridge import Bridge
from service.journal.behind.composing import bridged
from service.journal.journal import Journal
from service.journal.seal.composing import sealed
from service.journal.seal.journal import SealedJournal
from service.journal.seal.shelf import ShelfSeal
from service.meter import Meter
from service.pages.carriers import Carriers
from service.pages.closing import SPEECHLESS, Closing
from service.pages.lines import Lines
from service.session.calling_back import CallingBack
from service.session.kept.records import orphaned, tenant_of
from service.session.kept.ring_backs import RingBacks
from service.session.means import Means, Sink
from service.session.pacer import Pacer
from service.session.sound.forks import Forks
from service.session.tasks import Tasks
from service.sight.noticing import Sight
from service.sight.telemetry import Telemetry, telemetry as telemetry_of
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.vad import batch, voice_activity
from service.speech.engines.absent import AbsentSpeech
from service.speech.pool import SpeechPool
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.switchboard.admission import Admission
from service.switchboard.reconciler import Reconciler
from service.switchboard.switchboard import Switchboard
from service.tools.toolbox import Toolbox
from service.trust.tenants import Tenants, read as read_tenants
from service.trust.token import TokenMint
from service.wire.rounds import Rounds
from service.wire.turnstile import Turnstile
from twiml.signature import Verifier


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that is made once per application."""

    config: Config
    means: Means
    clock: Clock
    meter: Meter
    journal: Bridge
    speech: SpeechPool | AbsentSpeech
    has_own_ear: bool
    directories: Directories
    tenants: Tenants
    toolbox: Toolbox
    tasks: Tasks
    carrier: Carriers
    documents: Documents
    mint: TokenMint
    verifier: Verifier
    switchboard: Switchboard
    ring_backs: RingBacks
    calling_back: CallingBack
    admission: Admission
    reconciler: Reconciler
    telemetry: Telemetry
    rounds: Rounds = field(default_factory=Rounds)


@dataclass(frozen=True, kw_only=True)
class Own:
    """What a test or an application of one's own puts in the place of what the settings name."""

    agent: Agent | SpeechAgent | None = None
    speech: SpeechPool | None = None
    endpointer: Callable[[], Endpointer] | None = None
    toolbox: Toolbox | None = None
    directory: Directory | None = None
    clock: Clock | None = None
    engine: Journal | None = None  # the store itself; the bridge stands in front of it all the same
    carrier: Outward | None = None
    sink: Sink | None = None


NOTHING_OWN = Own()


def assembled(config: Config, own: Own) -> Parts:
    """Return the parts, not yet started. Raises ConfigError for a setting that can't be met."""
    clock, meter, tasks = own.clock or Clock(), Meter(), Tasks()
    toolbox, telemetry = _toolbox(config, own), telemetry_of(os.environ, meter, clock)
    journal, tenants = _journal(config, own.engine, clock, meter), read_tenants(config.tenants)
    speech, (mint, verifier, documents) = own.speech or _speech(), _addressed(config)
    carrier, ring_backs = _carriers(config, own.carrier, journal, clock)
    means = Means(
        journal=journal,
        is_final=journal.is_final,
        carrier=carrier,
        agent=own.agent or _agent(config, tenants, toolbox),
        speech=speech,
        endpointer=own.endpointer or _ears(),
        documents=documents,
        clock=clock,
        pacer=Pacer(clock),
        meter=meter,
        sight=Sight(meter, telemetry.traces),
        policy=policy(config, toolbox),
        toolbox=toolbox,
        ring_backs=ring_backs if _goes_on(config) else None,
        owner=_owner(),
        tasks=tasks,
        forks=Forks(tasks),
        sink=own.sink or sink(config),
    )
    return Parts(
        config=config,
        means=means,
        clock=clock,
        meter=meter,
        journal=journal,
        speech=speech,
        has_own_ear=own.endpointer is not None,
        directories=_directories(config, own, tenants),
        tenants=tenants,
        toolbox=toolbox,
        tasks=tasks,
        carrier=carrier,
        documents=documents,
        mint=mint,
        verifier=verifier,
        ring_backs=ring_backs,
        calling_back=CallingBack(means),
        switchboard=(switchboard := Switchboard(means)),
        admission=Admission(meter, Turnstile()),
        reconciler=Reconciler(means, switchboard),
        telemetry=telemetry,
    )


def _toolbox(config: Config, own: Own) -> Toolbox:
    return own.toolbox or Toolbox.load(config.tools, rules=config.outbound)


def _owner() -> str:
    """Return a name that no other process bears, nor this one after a restart."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


def _carriers(
    config: Config, own: Outward | None, journal: Journal, clock: Clock
) -> tuple[Carriers, RingBacks]:
    """Return the carrier, with the lines of pages beside it, and those who may ring back by it."""
    lines = Lines()
    is_asked = config.carrier not in SPEECHLESS
    real = own or (_carrier(config) if is_asked else Closing(lines, journal, clock))
    carriers = Carriers(real, lines, journal, clock, config.resume_window_s * 1000)
    return carriers, RingBacks(journal, carriers, clock, config.ring_back_s * 1000)


def _carrier(config: Config) -> Carrier:
    return Carrier(
        config.twilio_account_sid,
        config.twilio_auth_token,
        config.twilio_api_url,
        random.SystemRandom(),
    )


def _directories(config: Config, own: Own, tenants: Tenants) -> Directories:
    others = {
        name: directory(tenant.directory, config.outbound)
        for name, tenant in tenants.entries.items()
    }
    return Directories(own.directory or directory(config.directory, config.outbound), others)


def _agent(config: Config, tenants: Tenants, toolbox: Toolbox) -> Agent | SpeechAgent:
    """Return the agent of all tenants. Raises ConfigError when not all of them are of one kind."""
    collects = collected(config)
    own = make_agent(config.agent, toolbox, collects=collects)
    others = {name: one.agent for name, one in tenants.entries.items()}
    names = set(others.values()) - {"", config.agent}
    made = {name: make_agent(name, toolbox, collects=collects) for name in names}
    texts = {name: one for name, one in made.items() if not isinstance(one, SpeechAgent)}
    if not made:
        return own
    if isinstance(own, SpeechAgent) or len(texts) < len(made):
        raise ConfigError("TENANTS: an agent that speaks for itself must be the agent of all")
    return ByTenant(own, {name: texts[one] for name, one in others.items() if one in texts})


def _goes_on(config: Config) -> bool:
    """Whether a caller who rings back may go on with an earlier call."""
    return bool(config.ring_back_s) and config.ring_back != "afresh"


def _journal(config: Config, own: Journal | None, clock: Clock, meter: Meter) -> Bridge:
    """Return the store, with its seal and what bridges its outages in front."""
    engine = sealed_store(config, own)
    return bridged(
        engine,
        config.store_url,
        folder=config.write_behind,
        name=f"{os.getpid()}-{secrets.token_hex(6)}",
        orphan=orphaned,
        clock=clock,
        meter=meter,
        chance=random.SystemRandom(),
        seal=ShelfSeal(engine.masters),
    )


def sealed_store(config: Config, own: Journal | None = None) -> SealedJournal:
    """Return the store that the settings name, with its seal in front, not yet started."""
    return sealed(
        config.store_url,
        config.seal_keys,
        tenant_of=tenant_of,
        ttl_ms=config.call_ttl_s * 1000,
        replicas=config.store_replicas,
        keys_url=config.key_store_url,
        engine=own,
    )


def policy(config: Config, toolbox: Toolbox) -> Policy:
    """Return the rules that the settings give decisions."""
    terms = {name: toolbox.terms(name) for name in toolbox.names()}
    return Policy(
        config.drops_max,
        config.drop_window_ms,
        tools={
            name: ToolTerms(one.is_idempotent, one.attempts_max, one.timeout_ms, one.approval_ms)
            for name, one in terms.items()
        },
        summary_tool=toolbox.summary_tool,
        calls_back=config.last_resort == "callback",
        consent_text=config.consent_text,
        has_human=bool(config.transfer_to),
        has_sink=bool(config.collect_url),
        pays=pays(config),
    )


def _addressed(config: Config) -> tuple[TokenMint, Verifier, Documents]:
    """Return what is bound to our own address. Raises ConfigError before a caller meets the fault."""
    mint = TokenMint(config.twilio_auth_token)
    try:
        verifier = Verifier(config.twilio_auth_token, config.public_url, config.twilio_shared_keys)
    except ValueError as trouble:
        raise ConfigError(f"PUBLIC_URL: {trouble}") from trouble
    documents = Documents(
        config.public_url,
        mint,
        lambda: secrets.token_urlsafe(12),
        config.transfer_to,
        restart_pause_s=config.restart_pause_s,
        has_last_human=config.last_resort != "voicemail",
        gap_ear=config.gap_ear,
        pay_terms=pay_terms(config),
    )
    return mint, verifier, documents


def _ears() -> Callable[[], Endpointer]:
    """Return what makes the ears of the calls, which share the runs of one model."""
    together = batch()
    return lambda: Endpointer(voice_activity(together))


def _speech() -> SpeechPool | AbsentSpeech:
    """Return the local engines, or what says that they are not installed."""
    try:
        return SpeechPool(synthesizer(), recognizer())
    except EngineMissing as missing:
        return AbsentSpeech(missing)
