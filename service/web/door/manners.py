"""The manners of the carrier that is served: how it signs webhooks, names fields, and is answered.

    request ──signed?──> its fields in Twilio's names ──> a webhook ──> TwiML ──> the carrier's markup

One carrier is served at a time (CARRIER). What it signs is checked as it documents it; who documents no
signature is refused, unless CARRIER_UNSIGNED says otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response

from service.config import Config
from service.errors import ConfigError
from service.pages.closing import SPEECHLESS
from twiml.foreign import SPELLINGS
from twiml.proofs import TelnyxProof, plivo_signed
from twiml.signature import Verifier

SIGNATURE = "x-twilio-signature"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came: what a signature may cover."""

    headers: Headers
    path: str
    query: str
    pairs: Sequence[tuple[str, str]]
    body: bytes
    now_ms: int


@dataclass(frozen=True, kw_only=True)
class Manners:
    """One carrier's. `names` and `words` give Twilio's for its own names and values of fields."""

    carrier: str
    header: str
    is_signed: Callable[[Asked], bool]
    names: Mapping[str, str]
    words: Mapping[tuple[str, str], tuple[str, str]]

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return a form's fields as Twilio would have named them."""
        renamed = ((self.names.get(name, name), value) for name, value in pairs)
        return [self.words.get(pair, pair) for pair in renamed]

    @property
    def methods(self) -> list[str]:
        """By which methods it asks for documents."""
        return ["GET"] if self.carrier == "exotel" else ["POST"]

    def answer(self, document: str) -> Response:
        """Return one of our documents as this carrier reads it."""
        spell, kind = SPELLINGS[self.carrier]
        return Response(spell(document), media_type=kind)


_NAMES: dict[str, dict[str, str]] = {
    "plivo": {
        "CallUUID": "CallSid",
        "DialStatus": "DialCallStatus",
        "DialBLegUUID": "DialCallSid",
        "RecordUrl": "RecordingUrl",
        "StreamID": "StreamSid",
    },
    "exotel": {"CallFrom": "From", "CallTo": "To"},
}
_WORDS: dict[str, dict[tuple[str, str], tuple[str, str]]] = {
    "plivo": {
        ("Event", "StartStream"): ("StreamEvent", "stream-started"),
        ("Event", "StopStream"): ("StreamEvent", "stream-stopped"),
        ("Event", "DroppedStream"): ("StreamEvent", "stream-error"),
        ("CallStatus", "timeout"): ("CallStatus", "no-answer"),
        ("CallStatus", "cancel"): ("CallStatus", "canceled"),
    },
}
_HEADERS = {
    "twilio": SIGNATURE,
    "signalwire": "x-signalwire-signature",
    "telnyx": "telnyx-signature-ed25519",
    "plivo": "x-plivo-signature-v3",
}


def manners_of(config: Config, verifier: Verifier) -> Manners:
    """Return the manners of the carrier in the settings. Raises ConfigError for what it can't do."""
    carrier = config.carrier
    if config.gap_ear and carrier != "twilio":
        raise ConfigError(f"GAP_EAR: not with CARRIER={carrier}")
    if config.last_resort == "callback" and carrier in SPEECHLESS:
        raise ConfigError(f"LAST_RESORT: a caller can't be rung back with CARRIER={carrier}")
    return Manners(
        carrier=carrier,
        header=_HEADERS.get(carrier, "signature"),
        is_signed=_proof(config, verifier),
        names=_NAMES.get(carrier, {}),
        words=_WORDS.get(carrier, {}),
    )


def _proof(config: Config, verifier: Verifier) -> Callable[[Asked], bool]:
    carrier, keys = config.carrier, config.carrier_key
    if carrier == "twilio":
        return lambda asked: _as_twilio(verifier, asked, SIGNATURE)
    if config.carrier_unsigned:
        return lambda _asked: True
    if carrier not in _HEADERS:
        raise ConfigError(f"CARRIER: {carrier} signs nothing; CARRIER_UNSIGNED=true takes that")
    if not keys:
        raise ConfigError(f"CARRIER_KEY: needed to check what {carrier} signs")
    if carrier == "telnyx":
        return _telnyx(keys)
    if carrier == "plivo":
        return lambda asked: _as_plivo(config.public_url, keys, asked)
    own = Verifier(keys, config.public_url)
    return lambda asked: _as_twilio(own, asked, _HEADERS[carrier])


def _as_twilio(verifier: Verifier, asked: Asked, header: str) -> bool:
    settings = asked.headers.get("x-twilio-webhooks-signature-settings", "")
    return verifier.check_form(
        asked.path, asked.query, asked.pairs, asked.headers.get(header), settings
    )


def _as_plivo(public_url: str, keys: Sequence[str], asked: Asked) -> bool:
    query = f"?{asked.query}" if asked.query else ""
    return plivo_signed(
        keys,
        f"{public_url.rstrip('/')}{asked.path}{query}",
        asked.pairs,
        nonce=asked.headers.get("x-plivo-signature-v3-nonce", ""),
        signatures=asked.headers.get("x-plivo-signature-v3", ""),
    )


def _telnyx(keys: Sequence[str]) -> Callable[[Asked], bool]:
    try:
        proofs = [TelnyxProof(key) for key in keys]
    except ValueError as trouble:
        raise ConfigError(f"CARRIER_KEY: {trouble}") from trouble

    def is_signed(asked: Asked) -> bool:
        signature = asked.headers.get("telnyx-signature-ed25519", "")
        timestamp = asked.headers.get("telnyx-timestamp", "")
        return any(one.is_signed(asked.body, signature, timestamp, asked.now_ms) for one in proofs)

    return is_signed
