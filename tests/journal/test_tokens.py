"""Stream tokens are spent once, with a bounded redial, on every backend."""

import asyncio
import re
from importlib.resources import files

import pytest

from service.journal.journal import Journal
from service.journal.limits import TOKEN_TTL_MS, TOKENS_MAX
from service.journal.tokens import (
    OTHER_STREAM,
    REASONS,
    TOO_LATE,
    TOO_MANY,
    TOO_OFTEN,
    refusal,
)
from service.journal.values import Spent, Unspendable
from tests.journal.backends import TTL_MS, Store
from tests.journal.taking import take

CALL = "CA" + "3" * 32
NOW_MS = 1_790_000_000_000
WINDOW_MS = 60_000


async def spend(
    journal: Journal, nonce: str = "n", *, stream_sid: str = "MZ1", at_ms: int = 0
) -> Spent | Unspendable:
    return await journal.spend(
        CALL, nonce, stream_sid=stream_sid, window_ms=WINDOW_MS, uses_max=5, now_ms=NOW_MS + at_ms
    )


@pytest.mark.parametrize(
    ("is_same_stream", "uses", "idle_ms", "expected"),
    [
        (True, 1, 0, None),
        (True, 4, WINDOW_MS, None),
        (True, 1, -5_000, None),
        (True, 1, WINDOW_MS + 1, TOO_LATE),
        (True, 5, 0, TOO_OFTEN),
        (False, 1, 0, OTHER_STREAM),
        (False, 9, WINDOW_MS + 1, OTHER_STREAM),
    ],
)
def test_a_used_token_is_refused_for_one_reason(
    *, is_same_stream: bool, uses: int, idle_ms: int, expected: str | None
) -> None:
    reason = refusal(
        is_same_stream=is_same_stream,
        uses=uses,
        uses_max=5,
        idle_ms=idle_ms,
        window_ms=WINDOW_MS,
    )
    assert reason == expected


def test_each_word_that_the_script_refuses_with_is_a_reason_that_people_can_read() -> None:
    script = files("service.journal.redis").joinpath("spend.lua").read_text(encoding="utf-8")
    assert set(re.findall(r"return '(\w+)'", script)) == set(REASONS)
    assert set(REASONS.values()) == {OTHER_STREAM, TOO_OFTEN, TOO_LATE, TOO_MANY}


@pytest.mark.asyncio
async def test_a_token_may_be_spent_before_its_call_is_opened(journal: Journal) -> None:
    assert await spend(journal) == Spent(1)
    claim = await take(journal, CALL, [], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert claim.is_new
    assert await spend(journal, stream_sid="MZ2") == Unspendable(OTHER_STREAM)


@pytest.mark.asyncio
async def test_its_own_stream_redials_with_it_within_bounds(journal: Journal) -> None:
    assert await spend(journal) == Spent(1)
    for uses in range(2, 6):
        assert await spend(journal, at_ms=(uses - 1) * WINDOW_MS) == Spent(uses)
    assert await spend(journal, at_ms=4 * WINDOW_MS) == Unspendable(TOO_OFTEN)
    assert await spend(journal, "other") == Spent(1)


@pytest.mark.asyncio
async def test_a_token_is_refused_after_its_window(journal: Journal) -> None:
    assert await spend(journal) == Spent(1)
    assert await spend(journal, at_ms=WINDOW_MS + 1) == Unspendable(TOO_LATE)
    assert await spend(journal, at_ms=WINDOW_MS) == Spent(2)
    assert await spend(journal, at_ms=WINDOW_MS - 1) == Spent(3)


@pytest.mark.asyncio
async def test_a_nonce_belongs_to_its_call(journal: Journal) -> None:
    assert await spend(journal) == Spent(1)
    other = await journal.spend(
        "CA9", "n", stream_sid="MZ9", window_ms=1, uses_max=1, now_ms=NOW_MS
    )
    assert other == Spent(1)


@pytest.mark.asyncio
async def test_of_fifty_streams_at_once_one_gets_in(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    answers = await asyncio.gather(
        *(spend(journals[n % 2], stream_sid=f"MZ{n}") for n in range(50))
    )
    assert answers.count(Spent(1)) == 1
    assert answers.count(Unspendable(OTHER_STREAM)) == 49


@pytest.mark.asyncio
async def test_of_fifty_redials_at_once_five_get_in(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    answers = await asyncio.gather(*(spend(journals[n % 2]) for n in range(50)))
    uses = sorted(answer.uses for answer in answers if isinstance(answer, Spent))
    assert uses == [1, 2, 3, 4, 5]
    assert answers.count(Unspendable(TOO_OFTEN)) == 45


@pytest.mark.asyncio
async def test_a_call_spends_a_bounded_number_of_tokens(journal: Journal) -> None:
    spent = await asyncio.gather(*(spend(journal, f"n{n}") for n in range(TOKENS_MAX)))
    assert spent == [Spent(1)] * TOKENS_MAX
    assert await spend(journal, "over") == Unspendable(TOO_MANY)
    assert await spend(journal, "n0") == Spent(2)


@pytest.mark.asyncio
async def test_erasing_a_call_forgets_its_tokens(journal: Journal) -> None:
    await spend(journal)
    assert await journal.erase(CALL)
    assert await spend(journal, stream_sid="MZ2") == Spent(1)


@pytest.mark.asyncio
async def test_tokens_go_with_their_call(journal: Journal) -> None:
    await journal.open(CALL, [], now_ms=NOW_MS)
    await spend(journal)
    assert await journal.sweep(now_ms=NOW_MS + TTL_MS) == 1
    assert await spend(journal, stream_sid="MZ2") == Spent(1)


@pytest.mark.asyncio
async def test_a_token_without_a_call_is_kept_for_an_hour(journal: Journal) -> None:
    await spend(journal)
    assert await journal.sweep(now_ms=NOW_MS + TOKEN_TTL_MS - 1) == 0
    assert await spend(journal, stream_sid="MZ2") == Unspendable(OTHER_STREAM)


@pytest.mark.asyncio
async def test_a_token_stays_spent_when_its_call_had_expired_and_is_opened_anew(
    journal: Journal,
) -> None:
    await journal.open(CALL, [], now_ms=NOW_MS)
    assert await spend(journal, at_ms=TTL_MS) == Spent(1)
    claim = await take(journal, CALL, [], owner="o", until_ms=0, now_ms=NOW_MS + TTL_MS)
    assert claim.is_new
    assert await spend(journal, stream_sid="MZ2", at_ms=TTL_MS) == Unspendable(OTHER_STREAM)


@pytest.mark.parametrize("window_ms", [-1, 2**63])
@pytest.mark.asyncio
async def test_a_window_out_of_range_is_refused(journal: Journal, window_ms: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        await journal.spend(
            CALL, "n", stream_sid="MZ", window_ms=window_ms, uses_max=5, now_ms=NOW_MS
        )
