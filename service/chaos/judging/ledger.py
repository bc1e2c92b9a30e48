"""What the service's API acknowledged in the course of a run, to be held against what it says at the end.

Whatever was read must still be there, and an accepted note must be in the journal once.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import httpx2

from service.chaos.judging.judge import FOUND_MAX, Journals, Json
from service.errors import StaylineError

ASK_S_MAX = 10.0
ATTEMPTS_MAX = 20  # a second apart: a store that was away for longer is judged elsewhere
AT_ONCE = 8


class Unanswered(StaylineError):
    """The API did not tell a call's records."""


class Ledger:
    """Reads calls' records and adds notes, with a bearer token that may."""

    def __init__(
        self, api_url: str, api_token: str, *, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.seen: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        self.notes: defaultdict[str, list[str]] = defaultdict(list)
        self.accepted = 0  # notes
        self.readings = 0
        self.resets = 0  # readings that began anew
        self._heads: dict[str, int] = {}
        self._incarnations: dict[str, str] = {}
        self._http = httpx2.AsyncClient(
            base_url=api_url,
            headers={"Authorization": f"Bearer {api_token}"},
            trust_env=False,
            transport=transport,
            timeout=ASK_S_MAX,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def forget(self) -> None:
        """Let go of what was read and noted."""
        for memory in (self.seen, self.notes, self._heads, self._incarnations):
            memory.clear()

    async def look(self, call_sid: str) -> bool:
        """Read what is new of a call. False when the API did not answer."""
        after = self._heads.get(call_sid, 0)
        try:
            told = await self._events(call_sid, after)
            first = told["events"][0]["position"] if told["events"] else after + 1
            before = self._incarnations.setdefault(call_sid, told["incarnation"])
            if told["position"] < after or first != after + 1 or before != told["incarnation"]:
                # Another server knows less, or records came to stand elsewhere: all is read anew.
                self.resets += 1
                self._incarnations[call_sid] = told["incarnation"]
                told = await self._events(call_sid, 0)
        except Unanswered:
            return False
        self.readings += 1
        self._heads[call_sid] = told["position"]
        self.seen[call_sid] |= {content(one): one for one in told["events"]}
        return True

    async def note(self, call_sid: str, text: str) -> bool:
        """Add a note; True when the API accepted it, and must keep it."""
        with suppress(httpx2.HTTPError, TimeoutError):
            async with asyncio.timeout(ASK_S_MAX):
                answer = await self._http.post(f"/api/calls/{call_sid}/notes", json={"text": text})
            if answer.status_code == httpx2.codes.ACCEPTED:
                self.notes[call_sid].append(text)
                self.accepted += 1
                return True
        return False

    async def whole(self, call_sids: Iterable[str]) -> Journals:
        """Read all records of these calls anew. Raises Unanswered when some can't be had for long."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(call_sid: str) -> tuple[str, list[dict[str, Any]]]:
            for attempt in range(ATTEMPTS_MAX):
                with suppress(Unanswered):
                    async with gate:
                        return call_sid, (await self._events(call_sid, 0))["events"]
                await asyncio.sleep(min(attempt, 1))
            raise Unanswered(f"the API tells nothing of {call_sid}")

        found = await asyncio.gather(*map(one, call_sids), return_exceptions=True)
        for trouble in found:
            if isinstance(trouble, BaseException):
                raise trouble
        return dict(one for one in found if not isinstance(one, BaseException))

    async def _events(self, call_sid: str, after: int) -> dict[str, Any]:
        try:
            async with asyncio.timeout(ASK_S_MAX):
                answer = await self._http.get(f"/api/calls/{call_sid}/events?after={after}")
            if answer.status_code != httpx2.codes.OK:
                raise Unanswered(f"{call_sid}: {answer.status_code}")
            told: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError, TimeoutError) as trouble:
            raise Unanswered(f"{call_sid}: {type(trouble).__name__}") from trouble
        return told


def content(record: Json) -> str:
    """Return what a record says, wherever it stands.

    While the store is away a server shows records from its own disk; their positions and epochs are
    settled when the store has them (service/journal/behind).
    """
    said = {name: value for name, value in record.items() if name not in ("position", "epoch")}
    return json.dumps(said, sort_keys=True)


def lost(seen: Mapping[str, Mapping[str, Json]], journals: Journals) -> list[str]:
    """Return the records that the API told and that are neither in the journal nor beside it.

    What another owner's claim kept out stands there as `branch_orphaned`, by its facts.
    """
    found = []
    for call_sid, records in seen.items():
        journal = journals.get(call_sid, [])
        kept = {content(one) for one in journal}
        beside = [fact for one in journal for fact in one.get("lost", ())]
        found += [
            f"{call_sid}: {record} is gone"
            for said, record in records.items()
            if said not in kept and not any(_is_of(record, fact) for fact in beside)
        ]
        positions = [one["position"] for one in journal]
        if positions != list(range(1, len(journal) + 1)):
            found.append(f"{call_sid}: the positions have gaps")
    return found[:FOUND_MAX]


def _is_of(record: Json, fact: str) -> bool:
    stated: Json = json.loads(fact)
    return all(record.get(name) == value for name, value in stated.items())
