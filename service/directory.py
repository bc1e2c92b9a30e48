"""Who is calling: phone number -> client name, company, ticket ID.

The DIRECTORY setting names a JSON file, a CSV file with the columns `number`, `client_name`,
`company`, `ticket_id`, or an HTTP URL that is asked with `?from=`. Files are read once, at start. A
directory that can't answer costs nobody a call: the caller is simply not known.
"""

import asyncio
import csv
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import httpx2

from service.errors import ConfigError
from service.outbound.client import open_client
from service.outbound.rules import ANYWHERE, Rules
from service.trust.tenants import DEFAULT_TENANT

FIELDS = ("client_name", "company", "ticket_id")
ANSWER_S_MAX = 2.0  # Twilio waits 15 s for our TwiML; a caller notices three
ANSWER_BYTES_MAX = 65_536  # three short strings; more is a mistake at the other end

_UNREADABLE = (ValueError, RecursionError, csv.Error)  # what JSON and CSV say of a wrong text

_log = logging.getLogger(__name__)


class Directory(Protocol):
    """Looks callers up."""

    async def lookup(self, number: str) -> dict[str, str]:
        """Return what is known of `number`, of the names in FIELDS; empty when nothing is."""
        ...


class FileDirectory:
    """A directory held in memory."""

    def __init__(self, entries: dict[str, dict[str, str]]) -> None:
        self._entries = entries

    async def lookup(self, number: str) -> dict[str, str]:
        """See Directory.lookup."""
        return dict(self._entries.get(_plain(number), {}))


class HttpDirectory:
    """A directory behind an HTTP URL."""

    def __init__(self, url: str, rules: Rules) -> None:
        self._url = url
        self._rules = rules

    async def lookup(self, number: str) -> dict[str, str]:
        """See Directory.lookup."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return _entry(json.loads(await self._ask(number)))
        except (httpx2.HTTPError, httpx2.InvalidURL, *_UNREADABLE, TimeoutError) as trouble:
            _log.warning(
                "! the directory did not answer: %s",
                type(trouble),
                extra={"action": "directory_failed"},
            )
            return {}

    async def _ask(self, number: str) -> bytes:
        url = httpx2.URL(self._url).copy_merge_params({"from": number})
        rules, timeout = self._rules.naming(self._url), httpx2.Timeout(ANSWER_S_MAX)
        body = b""
        async with (
            open_client(rules, bytes_max=ANSWER_BYTES_MAX, timeout=timeout) as http,
            http.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:  # what was packed is longer than what came
                    raise ValueError("the answer is too long")
        return body


class Directories:
    """The directory of each tenant. One that has none of its own knows nobody."""

    def __init__(self, own: Directory, others: Mapping[str, Directory]) -> None:
        self._all = {DEFAULT_TENANT: own, **others}

    def of(self, tenant: str) -> Directory:
        """Return whom this tenant knows."""
        return self._all.get(tenant, FileDirectory({}))


def directory(setting: str, rules: Rules = ANYWHERE) -> Directory:
    """Return the directory that the setting names. Raises ConfigError when it can't be read.

    A URL is asked as `rules` permit.
    """
    if not setting:
        return FileDirectory({})
    if setting.startswith(("http://", "https://")):
        if "@" in setting.partition("://")[2].partition("/")[0]:
            raise ConfigError("DIRECTORY: the URL must not hold a user or password")
        return HttpDirectory(setting, rules)
    try:
        text = Path(setting).read_text(encoding="utf-8-sig")
        entries = _from_csv(text) if setting.endswith(".csv") else _from_json(text)
    except (OSError, *_UNREADABLE) as trouble:
        raise ConfigError(f"DIRECTORY={setting}: {trouble}") from trouble
    return FileDirectory(entries)


def _from_json(text: str) -> dict[str, dict[str, str]]:
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("expected an object of phone numbers")  # noqa: TRY004 - one kind of error for a wrong file
    return {_plain(str(number)): _entry(entry) for number, entry in parsed.items()}


def _from_csv(text: str) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(text.splitlines())
    columns = rows.fieldnames or ()
    if "number" not in columns:
        raise ValueError(f"expected the columns number, {', '.join(FIELDS)}")
    return {_plain(row["number"]): _entry(row) for row in rows if row["number"]}


def _entry(entry: object) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise ValueError("expected an object with client_name, company, ticket_id")  # noqa: TRY004 - as above
    return {name: str(entry[name]) for name in FIELDS if entry.get(name)}


def _plain(number: str) -> str:
    return number.translate(str.maketrans("", "", " -().\u00a0"))
