"""Functions as users write them, for tests of tools that run in this process."""

import asyncio
from typing import Any

from service.tools.terms import RESULT_BYTES_MAX, ToolFailed

seen: list[tuple[dict[str, Any], str]] = []


async def echo(arguments: dict[str, Any], key: str) -> dict[str, Any]:
    seen.append((dict(arguments), key))
    arguments["changed"] = True
    return {"key": key}


async def nothing(_arguments: dict[str, Any], _key: str) -> None:
    return None


async def closed(_arguments: dict[str, Any], _key: str) -> None:
    raise ToolFailed("The desk is\nclosed." + "!" * 1000)


async def busy(_arguments: dict[str, Any], _key: str) -> None:
    raise ToolFailed("The desk is busy.", may_retry=True)


async def broken(arguments: dict[str, Any], _key: str) -> None:
    raise RuntimeError(f"no such card: {arguments['text']}")


async def timed_out(_arguments: dict[str, Any], _key: str) -> None:
    raise TimeoutError


async def endless(_arguments: dict[str, Any], _key: str) -> None:
    await asyncio.Event().wait()


async def unspeakable(_arguments: dict[str, Any], _key: str) -> object:
    return object()


async def long(_arguments: dict[str, Any], _key: str) -> str:
    return "x" * RESULT_BYTES_MAX


async def lonely() -> None:
    return None


def slow(_arguments: dict[str, Any], _key: str) -> None:
    return None
