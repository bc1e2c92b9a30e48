"""Whose call it is: the numbers of each tenant, who calls there, and who answers.

    {"acme": {"numbers": ["+15550002"], "directory": "acme.csv", "agent": "chat", "calls_max": 50}}

A number that no tenant has is the tenant `default`'s, whose directory and agent are DIRECTORY and AGENT.
A tenant without a directory of its own knows nobody: it is never shown another's.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from service.errors import ConfigError

DEFAULT_TENANT = "default"
FILE_BYTES_MAX = 4_194_304  # of ten thousand tenants; more is no file that somebody wrote
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")  # E.164


class Tenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tenant: its numbers in E.164, its directory as in DIRECTORY, its agent as in AGENT.

    `calls_max` calls at once in each process, 0 for any; see allotment.py.
    """

    numbers: tuple[str, ...]
    directory: str = ""
    agent: str = ""
    calls_max: Annotated[int, msgspec.Meta(ge=0)] = 0


class Tenants:
    """All tenants but the default one. Raises ValueError for a name or a number that can't be used."""

    def __init__(self, entries: Mapping[str, Tenant]) -> None:
        self.entries = dict(entries)
        self._by_number: dict[str, str] = {}
        for name, tenant in entries.items():
            if not _NAME.fullmatch(name) or name == DEFAULT_TENANT:
                raise ValueError(f"{name!r} can't be a tenant's name")
            for number in tenant.numbers:
                if not _NUMBER.fullmatch(number):
                    raise ValueError(f"a number of {name} is not written as +15550002")
                if self._by_number.setdefault(number, name) != name:
                    raise ValueError(f"a number of {name} is another tenant's, too")

    def of_number(self, number: str) -> str:
        """Return the tenant that has this number of ours."""
        return self._by_number.get(number, DEFAULT_TENANT)

    def calls_max(self, name: str) -> int:
        """Return how many calls this tenant may have at once in a process, 0 for any."""
        return self.entries[name].calls_max if name in self.entries else 0

    def known(self, name: str) -> str:
        """Return the tenant of this name, the default one when there is none."""
        return name if name in self.entries else DEFAULT_TENANT


def read(setting: str) -> Tenants:
    """Return the tenants of the file that TENANTS names, none without one. Raises ConfigError."""
    if not setting:
        return Tenants({})
    try:
        return Tenants(msgspec.json.decode(_content(Path(setting)), type=dict[str, Tenant]))
    except (OSError, ValueError, RecursionError) as trouble:
        raise ConfigError(f"TENANTS={setting}: {trouble}") from trouble


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise ValueError(f"the file is longer than {FILE_BYTES_MAX} bytes")
    return content
