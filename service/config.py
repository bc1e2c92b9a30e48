"""The settings: read once at start, frozen, every limit with its unit and reason.

They come from the environment or from a file `.env`. A wrong one is one clear line.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from service import notation
from service.errors import ConfigError
from service.outbound.rules import Rules, parsed
from service.trust import api_token, sealkeys
from service.trust.api_token import ApiToken
from service.trust.credentials import check, development_credentials
from service.trust.sealkeys import SealKey

TWILIO_API_URL = "https://api.twilio.com"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEVELOPMENT_FILE = Path("var/development.json")

Address = Annotated[str, AfterValidator(notation.address)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(notation.listed)]
NamedSecrets = Annotated[
    tuple[tuple[str, str], ...], NoDecode, BeforeValidator(notation.named_secrets)
]
Origins = Annotated[Texts, AfterValidator(notation.each(notation.origin))]
Networks = Annotated[Texts, AfterValidator(notation.each(notation.network))]


class Config(BaseSettings):
    """Every setting. Names in the environment are the same in capitals."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        arbitrary_types_allowed=True,
    )

    host: str = Field(
        "", description="address to listen on; default all, or 127.0.0.1 without an auth token"
    )
    port: int = Field(8000, ge=1, le=65_535, description="port to listen on")
    public_url: Address = Field("", description="the address the carrier reaches us at, https://…")
    twilio_account_sid: str = Field("", description="the account that owns the numbers")
    twilio_auth_token: Texts = Field(
        (), description="auth token; a comma list while rotating, the newest first", repr=False
    )
    carrier: notation.CarrierName = Field("twilio", description="whose calls these are")
    carrier_key: Texts = Field((), description="what another carrier signs with", repr=False)
    carrier_unsigned: bool = Field(default=False, description="take its webhooks unsigned")
    twilio_shared_keys: NamedSecrets = Field(
        (),
        description="keys that sign webhooks in its place; comma list of name:secret",
        repr=False,
    )
    twilio_api_url: Address = Field("", description="the carrier's REST API; default Twilio's")
    store_url: str = Field("sqlite:///var/stayline.db", description="where the journal is")
    write_behind: str = Field(
        "var/behind", description="folder of what waits for a store that is away"
    )
    store_replicas: Annotated[int | None, Field(ge=0, le=8)] = Field(
        None, description="Redis replicas that confirm each write; default as the store has them"
    )
    store_quota_mb: int = Field(
        0, ge=0, le=16_777_216, description="MiB that calls may take in the store, 0 for any"
    )
    call_ttl_s: int = Field(1_800, ge=60, le=604_800, description="seconds a journal is kept")
    agent: str = Field("intake", description="intake, chat, realtime, or module:Class")
    tools: str = Field("", description="what the agent can have done: a JSON file of HTTP tools")
    tenants: str = Field("", description="whose each number is: a JSON file")
    directory: str = Field("", description="who is calling: a JSON or CSV file, or an HTTP URL")
    api_tokens: Annotated[tuple[ApiToken, ...], NoDecode] = Field(
        (), description="comma list of token:role[:tenant[:name]]", repr=False
    )
    drop_limit: Annotated[str, AfterValidator(notation.drop_limit)] = Field(
        "10/60", description="drops in seconds before the last resort"
    )
    transfer_to: str = Field("", description="the human's number in the last resort")
    media_idle_s: int = Field(
        3, ge=0, le=60, description="seconds without a message that end a stream, 0 for never"
    )
    last_resort: Literal["", "human", "voicemail", "callback"] = Field(
        "",
        description="after too many drops; default a human if TRANSFER_TO is set, else voicemail",
    )
    ring_back_s: int = Field(
        600, ge=0, le=604_800, description="seconds a call that was cut off may be gone on with"
    )
    ring_back: Literal["offer", "go_on", "afresh"] = Field(
        "offer", description="what who rings back in that time meets"
    )
    gap_ear: bool = Field(
        default=False,
        description="listen on a second stream too, so that no word is lost while the first is away",
    )
    lookalike_carriers: bool = Field(
        default=False, description="admit sockets without a signature, by their token alone"
    )
    phone: Literal["", "open", "login", "off"] = Field(
        "", description="who may call from a page; default login, or open in development"
    )
    phone_origins: Origins = Field(
        (), description="further origins whose pages may call; comma list"
    )
    trusted_proxies: Networks = Field(
        ("127.0.0.1", "::1"),
        description="proxies in front, whose X-Forwarded-For is believed; addresses and networks",
    )
    reload_window_s: int = Field(
        20, ge=0, le=3_000, description="seconds in which a reloaded page goes on by itself"
    )
    resume_window_s: int = Field(
        600, ge=1, le=3_000, description="seconds a call from a page is kept for its person"
    )
    restart_pause_s: int = Field(
        8, ge=1, le=60, description="seconds a caller waits while a server that is alone restarts"
    )
    web_concurrency: int = Field(
        1, ge=1, le=64, description="worker processes on one port; they share the store"
    )
    consent_text: str = Field("", max_length=500, description="asked before anything is kept")
    collect_url: Address = Field("", description="where numbers go that are collected under seal")
    collect_token: str = Field("", description="its bearer token", repr=False)
    collect_with: Literal["", "http", "pay"] = Field(
        "", description="who takes cards' numbers: http (COLLECT_URL) or pay (Twilio's <Pay>)"
    )
    pay_connector: str = Field("Default", description="the account's <Pay> connector, by its name")
    pay_token: Literal["one-time", "reusable", "payment-method"] = Field(
        "reusable", description="which token the connector makes of a card"
    )
    pay_security_code: bool = Field(default=True, description="<Pay> asks for the security code")
    pay_postal_code: bool = Field(default=True, description="<Pay> asks for the postal code")
    alert_url: Address = Field("", description="where alerts are told, when they begin and end")
    alert_token: str = Field("", description="its bearer token", repr=False)
    seal_keys: Annotated[tuple[SealKey, ...], NoDecode] = Field(
        (), description="keys that seal the journal, kid:base64, newest first", repr=False
    )
    key_store_url: str = Field("", description="where the calls' keys lie; default by the store")
    outbound_hosts: Texts = Field(
        (), description="the hosts that may be asked, all others not; default all; comma list"
    )
    outbound_networks: Texts = Field(
        (), description="networks beside the internet that may be asked, 10.0.0.0/8; comma list"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="how much is logged"
    )
    is_development: bool = False

    @field_validator("api_tokens", mode="before")
    @classmethod
    def _tokens(cls, value: object) -> object:
        return (
            tuple(map(api_token.parsed, notation.items(value))) if isinstance(value, str) else value
        )

    @field_validator("outbound_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return parsed(value, ()).hosts

    @field_validator("outbound_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(str, parsed((), value).networks))

    @field_validator("seal_keys", mode="before")
    @classmethod
    def _seal_keys(cls, value: object) -> object:
        return sealkeys.parsed(notation.items(value)) if isinstance(value, str) else value

    @property
    def outbound(self) -> Rules:
        """Where requests of our own may go."""
        return parsed(self.outbound_hosts, self.outbound_networks)

    @property
    def drops_max(self) -> int:
        """How many drops within `drop_window_ms` are tolerated."""
        return int(self.drop_limit.partition("/")[0])

    @property
    def drop_window_ms(self) -> int:
        """The window of `drops_max` in milliseconds."""
        return 1000 * int(self.drop_limit.partition("/")[2])


def load(**overrides: object) -> Config:
    """Read the settings. Raises ConfigError with one line that names the setting."""
    try:
        config = Config(**overrides)  # type: ignore[arg-type] # the keywords are the fields
    except ValidationError as trouble:
        first = trouble.errors()[0]
        name = str(first["loc"][0]).upper()
        raise ConfigError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
    except (OSError, ValueError) as trouble:
        raise ConfigError(f".env: it can't be read: {trouble}") from None
    config = _agreed(config)
    if not config.twilio_auth_token:
        return _for_development(config)
    config = _for_production(config)
    _check_secrets(config)
    return config


def _agreed(config: Config) -> Config:
    """Return settings that are sound beside each other. Raises ConfigError for those that are not."""
    if config.web_concurrency > 1 and ":memory:" in config.store_url:
        raise ConfigError("WEB_CONCURRENCY: several workers can't share a store in memory")
    if config.last_resort == "human" and not config.transfer_to:
        raise ConfigError("LAST_RESORT: human needs TRANSFER_TO")
    return _remembered(config, "ring_back_s", "resume_window_s")


def _remembered(config: Config, *windows: str) -> Config:
    """Return settings in which no window is longer than a call is kept. Raises ConfigError."""
    longer = {
        name: seconds for name in windows if (seconds := getattr(config, name)) > config.call_ttl_s
    }
    for name, seconds in longer.items():
        if name in config.model_fields_set:
            raise ConfigError(
                f"{name.upper()}: {seconds} s is longer than CALL_TTL_S, {config.call_ttl_s} s,"
                " after which a call is forgotten"
            )
    return config.model_copy(update=dict.fromkeys(longer, config.call_ttl_s)) if longer else config


def _for_production(config: Config) -> Config:
    return config.model_copy(
        update={
            "is_development": False,
            "host": config.host or "0.0.0.0",  # noqa: S104 - a web process is reached from outside
            "twilio_api_url": config.twilio_api_url or TWILIO_API_URL,
            "public_url": config.public_url or f"http://127.0.0.1:{config.port}",
            "phone": config.phone or "login",
        }
    )


def _check_secrets(config: Config) -> None:
    """Refuse secrets that can be guessed, wherever somebody else might try. Raises ConfigError."""
    if config.host not in LOOPBACK or urlsplit(config.public_url).hostname not in LOOPBACK:
        check(_secrets(config))


def _secrets(config: Config) -> Iterator[tuple[str, str]]:
    yield from (("TWILIO_AUTH_TOKEN", token) for token in config.twilio_auth_token)
    yield from (("TWILIO_SHARED_KEYS", secret) for _, secret in config.twilio_shared_keys)
    yield from (("CARRIER_KEY", key) for key in config.carrier_key)
    yield from (("API_TOKENS", one.token) for one in config.api_tokens)


def _for_development(config: Config) -> Config:
    """Without an auth token the server runs on a loopback address only, with credentials of its own."""
    host = config.host or LOOPBACK[0]
    if host not in LOOPBACK:
        raise ConfigError(
            f"TWILIO_AUTH_TOKEN: needed to listen on {host}; without it only loopback is served"
        )
    try:
        made = development_credentials(DEVELOPMENT_FILE)
    except OSError as trouble:
        raise ConfigError(f"TWILIO_AUTH_TOKEN: not set, and none can be kept: {trouble}") from None
    tokens = (ApiToken.model_construct(token=made["api_token"], role="admin", tenant="default"),)
    return config.model_copy(
        update={
            "is_development": True,
            "host": host,
            "twilio_account_sid": config.twilio_account_sid or made["account_sid"],
            "twilio_auth_token": (made["auth_token"],),
            "twilio_api_url": config.twilio_api_url or f"http://127.0.0.1:{config.port + 1}",
            "public_url": config.public_url or f"http://127.0.0.1:{config.port}",
            "api_tokens": config.api_tokens or tokens,
            "phone": config.phone or "open",
        }
    )
