import pytest
from redis.exceptions import AuthenticationError, ConnectionError as Broken, ResponseError

from service.errors import ConfigError
from service.journal.redis.address import address_of
from service.journal.redis.server import RedisServer, durability_of, hang_up
from service.journal.values import Durability
from tests.journal.backends import Store


@pytest.mark.parametrize(
    ("keeps_a_log", "syncs_each", "expected"),
    [
        (False, True, Durability.MEMORY),
        (True, False, Durability.BUFFERED),
        (True, True, Durability.LOCAL),
    ],
)
def test_durability_is_what_the_settings_make_it(
    *, keeps_a_log: bool, syncs_each: bool, expected: Durability
) -> None:
    assert durability_of(keeps_a_log=keeps_a_log, syncs_each=syncs_each) is expected


@pytest.mark.asyncio
async def test_each_connection_knows_whose_data_it_leads_to(redis: Store) -> None:
    server = RedisServer(address_of(redis.url))
    lines = [await server.connect() for _ in range(2)]
    assert lines[0].life == lines[1].life
    assert len(lines[0].life) == 40
    for line in lines:
        await hang_up(line.connection)
        await hang_up(line.connection)


@pytest.mark.asyncio
async def test_a_server_that_tells_nothing_of_itself_is_used_all_the_same(redis: Store) -> None:
    async with redis.client() as client:
        await client.acl_setuser(
            "shy",
            enabled=True,
            passwords=["+word"],
            keys=["*"],
            channels=["*"],
            commands=["+@all", "-info", "-config"],
        )
        server = RedisServer(address_of(redis.url.replace("redis://", "redis://shy:word@")))
        line = await server.connect()
        assert line.life == ""
        assert server.durability is Durability.MEMORY
        await hang_up(line.connection)
        await client.acl_deluser("shy")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AuthenticationError("invalid"), "refuses the password"),
        (ResponseError("LOADING."), "it answers: LOADING."),
        (Broken("refused"), "refused."),
        (TimeoutError(), "TimeoutError."),
    ],
)
def test_an_error_is_said_in_words_with_its_place(error: Exception, words: str) -> None:
    said = str(RedisServer(address_of("redis://u:word@host:7/0")).unavailable(error))
    assert said.startswith("Redis at host:7 can't be used: ")
    assert words in said
    assert "word@" not in said


def test_a_url_that_means_no_server_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="STORE_URL"):
        RedisServer(address_of("redis://host:many"))
