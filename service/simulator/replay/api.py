"""The service's own API, as a program with a bearer token uses it: read a call, ask for digits."""

from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from service.simulator.webhook import trust

ANSWER_S_MAX = 5  # the API answers in milliseconds; longer means it is stuck

Json = dict[str, Any]


class Snapshot(msgspec.Struct, frozen=True):
    """A call as the service shows it: its state, and its records."""

    call: Json
    records: list[Json]


class Api:
    """A client of one running server."""

    def __init__(self, server_url: str, api_token: str) -> None:
        self._client = httpx2.AsyncClient(
            base_url=server_url,
            headers={"Authorization": f"Bearer {api_token}"},
            timeout=ANSWER_S_MAX,
            verify=trust(),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def snapshot(self, call_sid: str) -> Snapshot | str:
        """Return the call as it stands, or one sentence that says why it can't be had."""
        path = f"/api/calls/{quote(call_sid, safe='')}"
        try:
            call = await self._client.get(path)
            events = await self._client.get(f"{path}/events")
            for answer in (call, events):
                if answer.status_code != httpx2.codes.OK:
                    return f"{answer.request.url.path} answers HTTP {answer.status_code}"
            shown = {"call": call.json(), "records": events.json()["events"]}
            return msgspec.convert(shown, Snapshot)
        except httpx2.HTTPError as error:
            return f"the API gives no answer: {type(error).__name__} {error}"
        except (ValueError, KeyError, TypeError, msgspec.ValidationError):
            return "the API's answer can't be read"

    async def send_digits(self, call_sid: str, digits: str) -> str:
        """Ask for digits to be sent; returns "" or one sentence that says why they are not."""
        path = f"/api/calls/{quote(call_sid, safe='')}/digits"
        try:
            answer = await self._client.post(path, json={"digits": digits})
        except httpx2.HTTPError as error:
            return f"the API gives no answer: {type(error).__name__} {error}"
        if answer.status_code in range(200, 300):
            return ""
        return f"{path} answers HTTP {answer.status_code}: {answer.text[:200]}"
