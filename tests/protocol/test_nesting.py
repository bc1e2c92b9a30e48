"""Texts nested too deep are found, whatever stands in their strings."""

import json
import random
from typing import Any

import pytest

from service.protocol.nesting import DEPTH_MAX, is_too_deep


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_sixteen_levels_are_read_and_not_one_more() -> None:
    """S-9."""
    assert not is_too_deep(nested(DEPTH_MAX))
    assert is_too_deep(nested(DEPTH_MAX + 1))
    assert is_too_deep(b'{"a":' * (DEPTH_MAX + 1))
    assert not is_too_deep(b"[]," * 1_000)
    assert is_too_deep(b"[" * 65_536)


@pytest.mark.parametrize(
    "text", ["[" * 100, '"' + "{" * 100, "\\" + "[" * 100, '\\"' + "[" * 100, "]" * 20 + "[" * 100]
)
def test_brackets_of_a_string_dont_count(text: str) -> None:
    assert not is_too_deep(json.dumps({"a": text, "b": [text, text]}).encode())
    assert is_too_deep(json.dumps(text).encode() + nested(DEPTH_MAX + 1))


def test_an_open_string_hides_nothing_that_would_be_read() -> None:
    assert not is_too_deep(b'"' + b"[" * 100)
    assert is_too_deep(b"[" * 100 + b'"')


def depth_of(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth_of, value.values()), default=0)
        case list():
            return 1 + max(map(depth_of, value), default=0)
        case _:
            return 0


@pytest.mark.parametrize("seed", range(200))
def test_it_agrees_with_the_tree(seed: int) -> None:
    rng = random.Random(seed)

    def tree(left: int) -> Any:
        if not left:
            return "".join(rng.choices('[]{}"\\ a\u00e9', k=rng.randrange(6)))
        kids = [tree(rng.randrange(left)) for _ in range(rng.randrange(3))] + [tree(left - 1)]
        rng.shuffle(kids)
        return kids if rng.random() < 0.5 else {f'{at}"[': kid for at, kid in enumerate(kids)}

    value = tree(rng.randrange(8)) if rng.random() < 0.3 else [tree(3)]
    for _ in range(rng.randrange(20)):
        value = [value]
    text = json.dumps(value, ensure_ascii=False).encode()
    assert is_too_deep(text) == (depth_of(value) > DEPTH_MAX), f"{seed=}"
