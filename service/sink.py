"""Where numbers go that are collected under seal: one HTTPS endpoint, answered by a reference.

    POST COLLECT_URL   Authorization: Bearer COLLECT_TOKEN   Idempotency-Key: CallSid:collection:round
    {"call_sid": "CA…", "field": "card_number", "digits": "…"}
    <── 200 {"reference": "tok_…"}   taken
    <── 4xx                          refused: it is no number that can be used
    <── anything else, or nothing    failed

Nothing is asked twice, nothing is followed, and neither the number nor the answer is in any log.
"""

import asyncio
import json
import logging
from typing import Literal, TypeAlias

import httpx2

from service.outbound.client import open_client
from service.outbound.rules import Rules

ANSWER_S_MAX = 10  # a caller waits in silence for so long at most
ANSWER_BYTES_MAX = 4_096  # a reference and little else

Outcome: TypeAlias = Literal["taken", "refused", "failed"]

_log = logging.getLogger(__name__)


class HttpSink:
    """The sink behind COLLECT_URL."""

    def __init__(self, url: str, token: str, rules: Rules) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._rules = rules

    async def take(
        self, number: str, *, field: str, call_sid: str, key: str
    ) -> tuple[Outcome, str]:
        """Pass a number on and return how it went, with the reference if it was taken. Never raises."""
        told = {"call_sid": call_sid, "field": field, "digits": number}
        extra = {"action": "collected", "call_sid": call_sid}
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                status, reference = await self._ask(told, key)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TimeoutError) as trouble:
            _log.warning("! the sink failed: %s", type(trouble), extra=extra)
            return "failed", ""
        _log.info("> sink: %d", status, extra=extra)
        if reference:
            return "taken", reference
        return ("refused" if 400 <= status < 500 else "failed"), ""  # noqa: PLR2004 - HTTP's own numbers

    async def _ask(self, told: dict[str, str], key: str) -> tuple[int, str]:
        rules, timeout = self._rules.naming(self._url), httpx2.Timeout(ANSWER_S_MAX)
        headers = {**self._headers, "Idempotency-Key": key}
        async with open_client(rules, bytes_max=ANSWER_BYTES_MAX, timeout=timeout) as http:
            answer = await http.post(self._url, json=told, headers=headers)
        if not answer.is_success:
            return answer.status_code, ""
        said = json.loads(answer.content)
        reference = said.get("reference") if isinstance(said, dict) else None
        if not isinstance(reference, str):
            raise ValueError("an answer without a reference")  # noqa: TRY004 - one kind of error for a wrong answer
        return answer.status_code, reference
