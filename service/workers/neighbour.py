"""Whether another server answers at our public address: the one that a draining server's calls go to."""

import asyncio
import functools
import ssl

import httpx2

PROBE_MS_MAX = 2_000  # a server slower than this would not take a stream in time either


class Neighbour:
    """Asks `PUBLIC_URL/readyz`, as a balancer does. `owner` is our own name there."""

    def __init__(self, public_url: str, owner: str) -> None:
        self._url = f"{public_url}/readyz"
        self._owner = owner

    async def is_ready(self) -> bool:
        """Whether somebody else is ready. Never raises; takes at most PROBE_MS_MAX."""
        try:
            async with asyncio.timeout(PROBE_MS_MAX / 1000), _client() as http:
                answer = await http.get(self._url)
                found = answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError):
            return False
        # What stands before the servers may answer 200 by itself, with a page of its own.
        is_ready = isinstance(found, dict) and found.get("status") == "ready"
        return answer.is_success and is_ready and found.get("server") != self._owner


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=_trust())


@functools.cache
def _trust() -> ssl.SSLContext:
    """The certificates to trust; reading them takes 25 ms of the loop, so once."""
    return httpx2.create_ssl_context()
