"""Who takes the numbers that are collected under seal, as the settings say.

COLLECT_URL                   our own sink takes all of them: they pass through this process
COLLECT_WITH=pay              the carrier takes those of cards, by its verb `<Pay>`: none of them comes here
both                          cards to the carrier, other numbers to our own sink
"""

from urllib.parse import urlsplit

from service.agent.functions import Collects
from service.call.privacy import PAY_WAIT_MS
from service.config import LOOPBACK, Config
from service.errors import ConfigError
from service.sink import HttpSink
from twiml import pay


def sink(config: Config) -> HttpSink | None:
    """Return where sealed numbers go. Raises ConfigError for a way there that others could read."""
    parts = urlsplit(config.collect_url)
    if config.collect_with == "http" and not config.collect_url:
        raise ConfigError("COLLECT_WITH: http needs COLLECT_URL")
    if not config.collect_url:
        return None
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ConfigError("COLLECT_URL: expected https")
    return HttpSink(config.collect_url, config.collect_token, config.outbound)


def pays(config: Config) -> bool:
    """Whether the carrier collects the numbers of cards."""
    return config.collect_with == "pay"


def collected(config: Config) -> Collects:
    """Return what models are offered to have collected."""
    if config.collect_url:
        return "numbers"
    return "cards" if pays(config) else ""


def pay_terms(config: Config) -> pay.Terms:
    """Return how the carrier collects cards. Raises ConfigError where it can't."""
    if pays(config):
        _check(config)
    try:
        return pay.Terms(
            connector=config.pay_connector,
            token_type=config.pay_token,
            asks_security_code=config.pay_security_code,
            asks_postal_code=config.pay_postal_code,
        )
    except ValueError as trouble:
        raise ConfigError(f"PAY_CONNECTOR: {trouble}") from trouble


def _check(config: Config) -> None:
    public = urlsplit(config.public_url)
    if config.carrier != "twilio":
        raise ConfigError(
            f"COLLECT_WITH: pay is a verb of Twilio's, and CARRIER is {config.carrier}"
        )
    if public.scheme != "https" and public.hostname not in LOOPBACK:
        raise ConfigError("COLLECT_WITH: pay needs https in PUBLIC_URL, Twilio answers to no other")
    if config.call_ttl_s * 1_000 <= PAY_WAIT_MS:
        least_s = PAY_WAIT_MS // 1_000
        raise ConfigError(f"COLLECT_WITH: pay needs a CALL_TTL_S over {least_s}, to key a card in")
