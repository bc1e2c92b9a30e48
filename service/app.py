"""The application: where the doors meet the parts, all routes in one list."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from service import config as settings
from service.config import Config
from service.journal.seal.anew import Anew
from service.parts import NOTHING_OWN, Own, Parts, assembled
from service.protocol.dialects import DIALECTS
from service.sight.bell import Bell
from service.sight.history import History
from service.sight.watchdog import watch_stalls
from service.speech.engines.absent import AbsentSpeech
from service.switchboard.allotment import Allotment
from service.trust.recovery import RecoveryMint
from service.web.api import Api
from service.web.door.bearer import Bearers
from service.web.door.embedding import Origins
from service.web.door.form import SignedForm
from service.web.door.login import Login
from service.web.door.manners import manners_of
from service.web.door.origins import own_origins
from service.web.door.problem import HANDLERS
from service.web.door.sitting import Sitting
from service.web.health import Health
from service.web.pages import Pages
from service.web.phone import Phone
from service.web.reading.admitted import Admitted
from service.web.reading.board import Board
from service.web.reading.cards import Cards
from service.web.reading.figures import Figures
from service.web.reading.live import rehearse
from service.web.reading.reading_room import ReadingRoom
from service.web.reading.showing import Showings
from service.web.recoveries import Recoveries
from service.web.seat.talking import Talking
from service.web.stream.entrance import CarrierEntrance, PageEntrance
from service.web.stream.foreign import ForeignEntrance
from service.web.stream.inflow import Inflow
from service.web.stream.media import Media
from service.web.stream.returns import Returns
from service.web.stream.strangers import Strangers
from service.web.webhooks.callbacks import Callbacks
from service.web.webhooks.outside import Outside
from service.web.webhooks.reopening import Reopening
from service.web.webhooks.returning import Returning
from service.web.webhooks.voice import Voice
from service.wire.address import Proxies
from service.workers.life import drain, lifespan


def create_app(config: Config | None = None, *, own: Own = NOTHING_OWN) -> Starlette:
    """Return the application. Reads the settings when none are given; raises ConfigError."""
    parts = assembled(config or settings.load(), own)
    health = Health(
        journal=parts.journal,
        clock=parts.clock,
        meter=parts.meter,
        speech=_speech_status(parts),
        switchboard=parts.switchboard,
    )
    bearers = _bearers(parts)
    reading_room = _reading_room(parts, bearers)
    told = parts.config
    bell = Bell(told.alert_url, told.alert_token, told.outbound, parts.switchboard.owner)
    figures = Figures(
        history=History(parts.meter),
        clock=parts.clock,
        bearers=bearers,
        server=parts.switchboard.owner,
        post=reading_room.board.post,
        ring=bell.hear,
    )
    allotment = Allotment(parts.tenants, parts.switchboard, parts.meter, parts.clock)
    app = Starlette(
        routes=[
            *_voice(parts, allotment).routes(),
            *_callbacks(parts).routes(),
            *_media(parts).routes(),
            *_talking(parts, bearers).routes(),
            *_login(parts, bearers).routes(),
            *reading_room.routes(),
            *_api(parts, reading_room.admitted).routes(),
            *figures.routes(),
            *_pages(parts, bearers).routes(),
            *_phone(parts, bearers, allotment).routes(),
            *health.routes(),
        ],
        middleware=[Middleware(Sitting, bearers=bearers)],
        exception_handlers=HANDLERS,
        lifespan=lambda _app: lifespan(
            parts, rehearse, figures.run, bell.run, lambda: watch_stalls(parts.meter)
        ),
    )
    # A redirect to the path without its slash would go to whatever Host the sender wrote, unsigned.
    app.router.redirect_slashes = False
    app.state.parts = parts
    app.state.drain = lambda: drain(parts)
    return app


def _speech_status(parts: Parts) -> str:
    return "absent" if isinstance(parts.speech, AbsentSpeech) else "ready"


def _form(parts: Parts) -> SignedForm:
    manners = manners_of(parts.config, parts.verifier)
    return SignedForm(manners, parts.config.twilio_account_sid, parts.meter, parts.clock)


def _callbacks(parts: Parts) -> Callbacks:
    return Callbacks(
        form=_form(parts),
        outside=Outside(parts.journal, parts.clock),
        switchboard=parts.switchboard,
        ring_backs=parts.ring_backs,
        calling_back=parts.calling_back,
    )


def _voice(parts: Parts, allotment: Allotment) -> Voice:
    return Voice(
        form=_form(parts),
        journal=parts.journal,
        is_final=parts.journal.is_final,
        directories=parts.directories,
        tenants=parts.tenants,
        allotment=allotment,
        documents=parts.documents,
        switchboard=parts.switchboard,
        clock=parts.clock,
        meter=parts.meter,
        policy=parts.means.policy,
        returning=Returning(
            parts.ring_backs, parts.calling_back, parts.clock, parts.config.ring_back
        ),
        reopening=Reopening(Anew(parts.journal.engine), parts.clock, parts.meter),
        returns=Returns(parts.means.policy.drops_max, parts.means.policy.window_ms),
    )


def _media(parts: Parts) -> Media:
    config = parts.config
    carriers = CarrierEntrance(
        verifier=parts.verifier,
        account_sid=config.twilio_account_sid,
        admits_unsigned=config.lookalike_carriers,
    )
    foreign = ForeignEntrance(
        dialect=DIALECTS[config.carrier],
        account_sid=config.twilio_account_sid,
        lines=parts.carrier.lines,
    )
    pages = PageEntrance(origins=Origins.of(config), lines=parts.carrier.lines)
    return Media(
        entrances=(
            carriers if config.carrier == "twilio" else foreign,
            *(() if config.phone == "off" else (pages,)),
        ),
        mint=parts.mint,
        journal=parts.journal,
        forks=parts.means.forks,
        switchboard=parts.switchboard,
        clock=parts.clock,
        meter=parts.meter,
        admission=parts.admission,
        inflow=_inflow(parts),
        tenants=parts.tenants,
        strangers=Strangers(Proxies(config.trusted_proxies)),
        turnstile=parts.admission.turnstile,
    )


def _inflow(parts: Parts) -> Inflow:
    idle_ms = parts.config.media_idle_s * 1000
    return Inflow(clock=parts.clock, meter=parts.meter, idle_ms=idle_ms)


def _talking(parts: Parts, bearers: Bearers) -> Talking:
    return Talking(
        bearers=bearers,
        journal=parts.journal,
        switchboard=parts.switchboard,
        clock=parts.clock,
        inflow=_inflow(parts),
    )


def _bearers(parts: Parts) -> Bearers:
    config = parts.config
    origins = own_origins(config.public_url, config.port, is_development=config.is_development)
    return Bearers(config.api_tokens, parts.meter, parts.clock, origins)


def _login(parts: Parts, bearers: Bearers) -> Login:
    return Login(
        bearers=bearers,
        clock=parts.clock,
        meter=parts.meter,
        is_secure=parts.config.public_url.startswith("https:"),
    )


def _pages(parts: Parts, bearers: Bearers) -> Pages:
    return Pages(sorted(bearers.origins), is_development=parts.config.is_development)


def _reading_room(parts: Parts, bearers: Bearers) -> ReadingRoom:
    showings = Showings(parts.journal)
    cards = Cards(parts.journal, showings)
    return ReadingRoom(
        journal=parts.journal,
        admitted=Admitted(bearers, showings),
        cards=cards,
        board=Board(cards),
    )


def _api(parts: Parts, admitted: Admitted) -> Api:
    return Api(
        journal=parts.journal,
        carrier=parts.carrier,
        documents=parts.documents,
        admitted=admitted,
        clock=parts.clock,
        calling_back=parts.calling_back,
    )


def _phone(parts: Parts, bearers: Bearers, allotment: Allotment) -> Phone:
    config = parts.config
    recovery = RecoveryMint(config.twilio_auth_token, config.resume_window_s * 1000)
    return Phone(
        config=config,
        origins=Origins.of(config),
        bearers=bearers,
        outside=Outside(parts.journal, parts.clock),
        carriers=parts.carrier,
        mint=parts.mint,
        recoveries=Recoveries(parts.journal, recovery, parts.clock),
        switchboard=parts.switchboard,
        meter=parts.meter,
        allotment=allotment,
    )
