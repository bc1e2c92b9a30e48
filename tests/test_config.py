import json
from pathlib import Path

import pytest

from service import config
from service.config import Config, load
from service.errors import ConfigError
from service.trust.api_token import ApiToken
from service.trust.credentials import DEVELOPMENT_ACCOUNT_SID

STRONG = "3f8a1c77d02be9465"
OTHER = "q7Zr-k20Lw_Vx81TmPe"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the setting is tested, nothing is bound


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of this machine, or leaves any behind."""
    monkeypatch.chdir(tmp_path)
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", STRONG)
    return monkeypatch


def test_the_defaults_are_those_of_the_contract(production: pytest.MonkeyPatch) -> None:
    made = load()
    assert (made.port, made.host, made.store_url, made.call_ttl_s, made.agent) == (
        8000, EVERYWHERE, "sqlite:///var/stayline.db", 1_800, "intake",
    )  # fmt: skip
    assert (made.twilio_api_url, made.public_url) == (
        "https://api.twilio.com",
        "http://127.0.0.1:8000",
    )
    assert (made.drops_max, made.drop_window_ms, made.log_level) == (10, 60_000, "INFO")
    assert (made.directory, made.api_tokens, made.transfer_to) == ("", (), "")
    assert not made.is_development
    assert not made.lookalike_carriers
    production.setenv("IS_DEVELOPMENT", "1")
    assert not load().is_development


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PORT", "9000", 9000),
        ("HOST", "127.0.0.1", "127.0.0.1"),
        ("PUBLIC_URL", "https://x.example.com/", "https://x.example.com"),
        ("PUBLIC_URL", "http://[::1]:8000/line", "http://[::1]:8000/line"),
        ("TWILIO_ACCOUNT_SID", "AC1", "AC1"),
        ("TWILIO_AUTH_TOKEN", f"{OTHER}, {STRONG},", (OTHER, STRONG)),
        ("TWILIO_SHARED_KEYS", f"k1:{OTHER}, k2:{OTHER}:2,", (("k1", OTHER), ("k2", f"{OTHER}:2"))),
        ("TWILIO_API_URL", "http://127.0.0.1:9/", "http://127.0.0.1:9"),
        ("STORE_URL", "redis://h:1", "redis://h:1"),
        ("CALL_TTL_S", "60", 60),
        ("AGENT", "my.module:Agent", "my.module:Agent"),
        ("DIRECTORY", "callers.json", "callers.json"),
        ("DROP_LIMIT", "3/10", "3/10"),
        ("TRANSFER_TO", "+15550100", "+15550100"),
        ("RESTART_PAUSE_S", "12", 12),
        ("WEB_CONCURRENCY", "4", 4),
        ("LOOKALIKE_CARRIERS", "true", True),
        ("LOG_LEVEL", "DEBUG", "DEBUG"),
        ("API_TOKENS", "", ()),
        ("PHONE", "open", "open"),
        ("PHONE", "off", "off"),
        (
            "PHONE_ORIGINS",
            "https://a.example.com, http://b:81,",
            ("https://a.example.com", "http://b:81"),
        ),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,", ("10.0.0.0/8", "192.0.2.1")),
        ("RELOAD_WINDOW_S", "0", 0),
        ("RESUME_WINDOW_S", "1", 1),
    ],
)
def test_each_setting_is_read_from_the_environment(
    production: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    production.setenv(name, text)
    assert getattr(load(), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "eighty"),
        ("PUBLIC_URL", "x.example.com"),
        ("PUBLIC_URL", "ftp://x"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://x/?a=1"),
        ("PUBLIC_URL", "https://x/#a"),
        ("PUBLIC_URL", "http://[::1"),
        ("PUBLIC_URL", "https://x:99999"),
        ("TWILIO_API_URL", "api.twilio.com"),
        ("TWILIO_SHARED_KEYS", "s3cret"),
        ("TWILIO_SHARED_KEYS", ":s3cret"),
        ("TWILIO_SHARED_KEYS", "k1:"),
        ("CALL_TTL_S", "59"),
        ("CALL_TTL_S", "604801"),
        ("API_TOKENS", "s3cret"),
        ("API_TOKENS", "s3cret:boss"),
        ("API_TOKENS", "viewer:s3cret"),
        ("API_TOKENS", "s3cret:admin:"),
        ("API_TOKENS", ":admin"),
        ("API_TOKENS", "s3cret:admin:t:"),
        ("API_TOKENS", "s3cret:admin:t:x:y"),
        ("API_TOKENS", f"s3cret:admin:t:{'x' * 61}"),
        ("DROP_LIMIT", "10"),
        ("DROP_LIMIT", "0/60"),
        ("DROP_LIMIT", "10/0"),
        ("DROP_LIMIT", "10/-6"),
        ("DROP_LIMIT", "ten/60"),
        ("DROP_LIMIT", "²/60"),
        ("DROP_LIMIT", "1001/60"),
        ("DROP_LIMIT", "10/86401"),
        ("LOOKALIKE_CARRIERS", "perhaps"),
        ("SEAL_KEYS", "s3cret"),
        ("RESTART_PAUSE_S", "0"),
        ("RESTART_PAUSE_S", "61"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "65"),
        ("LOG_LEVEL", "LOUD"),
        ("PHONE", "shut"),
        ("PHONE_ORIGINS", "a.example.com"),
        ("PHONE_ORIGINS", "https://a.example.com/"),
        ("PHONE_ORIGINS", "https://me:s3cret@a.example.com"),
        ("PHONE_ORIGINS", "ftp://a.example.com"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("RELOAD_WINDOW_S", "-1"),
        ("RELOAD_WINDOW_S", "3001"),
        ("RESUME_WINDOW_S", "0"),
        ("RESUME_WINDOW_S", "3001"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_tells_no_secret(
    production: pytest.MonkeyPatch, name: str, text: str
) -> None:
    production.setenv(name, text)
    with pytest.raises(ConfigError) as wrong:
        load()
    assert str(wrong.value).startswith(f"{name}: ")
    assert "\n" not in str(wrong.value)
    assert "s3cret" not in str(wrong.value)


def test_tokens_of_the_api_name_their_role_and_tenant(production: pytest.MonkeyPatch) -> None:
    production.setenv("API_TOKENS", f"{OTHER}a:viewer, {OTHER}b:admin:acme,")
    first, second = load().api_tokens
    assert (first.token, first.role, first.tenant) == (f"{OTHER}a", "viewer", "default")
    assert (second.token, second.role, second.tenant) == (f"{OTHER}b", "admin", "acme")


def test_no_secret_is_ever_shown(production: pytest.MonkeyPatch) -> None:
    production.setenv("API_TOKENS", f"{OTHER}:viewer")
    production.setenv("TWILIO_SHARED_KEYS", f"k1:{OTHER}k")
    made = load()
    assert OTHER not in f"{made!r} {made} {made.api_tokens!r}"
    assert STRONG not in f"{made!r} {made}"


def test_settings_never_change(production: pytest.MonkeyPatch) -> None:
    production.setenv("API_TOKENS", f"{OTHER}:viewer")
    made = load()
    with pytest.raises(ValueError, match="frozen"):
        made.port = 1
    with pytest.raises(ValueError, match="frozen"):
        made.api_tokens[0].role = "admin"


def test_a_file_is_read_and_the_environment_wins(production: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9001\nCALL_TTL_S=60\nSOMETHING_ELSE=1\nAGENT=\n")
    production.setenv("CALL_TTL_S", "61")
    made = load()
    assert (made.port, made.call_ttl_s, made.agent) == (9001, 61, "intake")
    assert load(port=9002).port == 9002


def test_a_file_that_cannot_be_read_is_one_clear_line() -> None:
    Path(".env").write_bytes(b"PORT=\xff\xfe\n")
    with pytest.raises(ConfigError, match=r"^\.env: "):
        load()


def test_what_the_code_passes_is_checked_as_well() -> None:
    token = ApiToken(token=OTHER, role="viewer")
    made = load(twilio_auth_token=(STRONG,), api_tokens=(token,), host="10.0.0.1")
    assert (made.twilio_auth_token, made.api_tokens, made.host) == ((STRONG,), (token,), "10.0.0.1")
    with pytest.raises(ConfigError, match=r"^API_TOKENS: "):
        load(api_tokens=7)


def test_without_an_auth_token_only_this_machine_is_served() -> None:
    made = load(port=8123)
    assert (made.is_development, made.host) == (True, "127.0.0.1")
    assert (made.public_url, made.twilio_api_url) == (
        "http://127.0.0.1:8123",
        "http://127.0.0.1:8124",
    )
    assert made.twilio_account_sid == DEVELOPMENT_ACCOUNT_SID
    assert [token.role for token in made.api_tokens] == ["admin"]
    assert load(host="::1").host == "::1"
    given = load(public_url="https://x", twilio_api_url="http://y", twilio_account_sid="AC9")
    assert (given.public_url, given.twilio_api_url, given.twilio_account_sid) == (
        "https://x", "http://y", "AC9",
    )  # fmt: skip


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "10.0.0.1", "example.com"])
def test_without_an_auth_token_no_other_address_is_listened_on(host: str) -> None:
    with pytest.raises(ConfigError, match=f"^TWILIO_AUTH_TOKEN: needed to listen on {host}"):
        load(host=host)


def test_development_credentials_are_made_once_and_kept_for_their_owner_alone() -> None:
    first, second = load(), load()
    assert first.twilio_auth_token == second.twilio_auth_token
    assert first.api_tokens == second.api_tokens
    assert len(first.twilio_auth_token[0]) == 32
    assert config.DEVELOPMENT_FILE.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in config.DEVELOPMENT_FILE.parent.iterdir()] == ["development.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"auth_token":7}', b'{"a":"b"}', b"\xff", b'{"a\x80']
)
def test_credentials_that_cannot_be_used_are_made_anew(content: bytes) -> None:
    config.DEVELOPMENT_FILE.parent.mkdir()
    config.DEVELOPMENT_FILE.write_bytes(content)
    made = load()
    kept = json.loads(config.DEVELOPMENT_FILE.read_text())
    assert made.twilio_auth_token == (kept["auth_token"],)


def test_credentials_that_cannot_be_kept_are_one_clear_line() -> None:
    Path("var").write_text("in the way")
    with pytest.raises(ConfigError, match=r"^TWILIO_AUTH_TOKEN: not set, and none can be kept"):
        load()


def test_a_call_is_not_gone_on_with_for_longer_than_it_is_kept() -> None:
    with pytest.raises(ConfigError, match=r"RING_BACK_S: 700 s is longer than CALL_TTL_S, 600 s"):
        load(twilio_auth_token=(STRONG,), ring_back_s=700, call_ttl_s=600)
    with pytest.raises(ConfigError, match="RESUME_WINDOW_S: 700 s is longer than CALL_TTL_S"):
        load(twilio_auth_token=(STRONG,), resume_window_s=700, call_ttl_s=600)
    made = load(twilio_auth_token=(STRONG,), call_ttl_s=60)
    assert (made.ring_back_s, made.resume_window_s) == (60, 60)


def test_a_last_resort_to_a_human_needs_a_number() -> None:
    with pytest.raises(ConfigError, match="LAST_RESORT: human needs TRANSFER_TO"):
        load(twilio_auth_token=(STRONG,), last_resort="human")


def test_several_workers_need_a_store_that_they_can_share(production: pytest.MonkeyPatch) -> None:
    production.setenv("WEB_CONCURRENCY", "2")
    assert load().web_concurrency == 2
    production.setenv("STORE_URL", "sqlite://:memory:")
    with pytest.raises(ConfigError, match=r"^WEB_CONCURRENCY: "):
        load()


def test_a_page_calls_without_a_login_only_where_nothing_but_this_machine_is_served(
    production: pytest.MonkeyPatch,
) -> None:
    made = load()
    assert (made.phone, made.phone_origins) == ("login", ())
    assert (made.reload_window_s, made.resume_window_s) == (20, 600)
    production.delenv("TWILIO_AUTH_TOKEN")
    assert load().phone == "open"
    assert load(phone="login").phone == "login"


WEAK = "admin"
EMPTY = ""


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"TWILIO_AUTH_TOKEN": EMPTY, "HOST": EVERYWHERE}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_AUTH_TOKEN": EMPTY, "HOST": "10.0.0.1"}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_AUTH_TOKEN": "s3cret"}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_AUTH_TOKEN": f"{STRONG},old"}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_AUTH_TOKEN": "0" * 32}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_AUTH_TOKEN": "your_auth_token_here"}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_AUTH_TOKEN": "s3cret", "HOST": "127.0.0.1", "PUBLIC_URL": "https://x.example"}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_SHARED_KEYS": "k1:short"}, "TWILIO_SHARED_KEYS"),
        ({"TWILIO_SHARED_KEYS": f"k1:{OTHER},k2:{'ab' * 16}"}, "TWILIO_SHARED_KEYS"),
        ({"TWILIO_SHARED_KEYS": f"k1:{STRONG}"}, "TWILIO_SHARED_KEYS"),
        ({"API_TOKENS": "admin:admin"}, "API_TOKENS"),
        ({"API_TOKENS": f"{OTHER}:viewer,x:admin"}, "API_TOKENS"),
        ({"API_TOKENS": "some-long-secret:admin"}, "API_TOKENS"),
        ({"API_TOKENS": f"{STRONG}:admin"}, "API_TOKENS"),
        ({"API_TOKENS": "ChangeMe-ChangeMe:admin"}, "API_TOKENS"),
        ({"API_TOKENS": f"{'q' * 40}:admin"}, "API_TOKENS"),
        ({"API_TOKENS": f"{OTHER}:admin", "TWILIO_SHARED_KEYS": f"k:{OTHER}"}, "API_TOKENS"),
        ({"API_TOKENS": f"{OTHER}:admin", "PUBLIC_URL": "https://calls.example.com"}, EMPTY),
        ({"TWILIO_AUTH_TOKEN": f"{OTHER},{STRONG}", "TWILIO_SHARED_KEYS": f"k:{OTHER}k"}, EMPTY),
        ({"TWILIO_AUTH_TOKEN": WEAK, "API_TOKENS": "t:admin", "HOST": "127.0.0.1"}, EMPTY),
        ({"TWILIO_AUTH_TOKEN": EMPTY}, EMPTY),
    ],
)  # fmt: skip
def test_a_weak_or_absent_secret_is_refused_where_others_can_reach_us(
    production: pytest.MonkeyPatch, settings: dict[str, str], wrong: str
) -> None:
    """S-16: one line that names the setting and quotes nothing of it."""
    for name, value in settings.items():
        production.setenv(name, value)
    if not wrong:
        load()
        return
    with pytest.raises(ConfigError) as refused:
        load()
    told = str(refused.value)
    assert told.startswith(f"{wrong}: ")
    secrets = {one for value in settings.values() for one in value.replace(":", ",").split(",")}
    assert not [
        one
        for one in secrets - {"admin", "x", "k", "k1", EVERYWHERE, "10.0.0.1"}
        if one and one in told
    ]
