"""Which changes are made of a module, and that each is one change with a name of its own."""

import ast

import pytest

from tests.mutants.mutation import mutants, written


def changes(source: str) -> set[str]:
    return {f"{mutant.before} -> {mutant.after}" for mutant in mutants(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(a < b)", {"f(a < b) -> pass", "a < b -> a <= b"}),
        ("x: int = 7", {"7 -> 8", "7 -> 6"}),
        ("def f(): return b'a'", {"return b'a' -> return None", "b'a' -> b'a?'"}),
        ("a and b and c", {
            "a and b and c -> a or b or c", "a and b and c -> b and c", "a and b and c -> a and c",
            "a and b and c -> a and b",
        }),
        ("(not a) + b", {"not a + b -> not a - b", "not a -> a"}),
        ("(a, b) if c else b", {"(a, b) if c else b -> (a, b) if not c else b"}),
        ("if a == b:\n    raise c", {"a == b -> a != b", "raise c -> pass"}),
        ("f(a, b, k=c)", {"f(a, b, k=c) -> f(b, a, k=c)", "f(a, b, k=c) -> pass"}),
        ("while a:\n    a += b\n    break", {"a += b -> pass", "break -> pass"}),
        ("x: y = True", {"True -> False"}),
    ],
)  # fmt: skip
def test_a_piece_of_code_is_changed_in_every_way_it_can_be(source: str, expected: set[str]) -> None:
    assert {one.replace("(not a)", "not a") for one in changes(source)} == expected


def test_what_does_nothing_is_left_alone() -> None:
    source = '''
"""A text."""
class A(B, frozen=True):
    """A text."""
    @cache(1)
    def f(self, a: "x" = None) -> "x":
        """A text."""
        return None
    """A sentence of three."""
'''
    assert changes(source) == set()


def test_each_mutant_is_one_change_with_a_name_and_the_module_is_as_before() -> None:
    source = "A = 1\ndef f(a):\n    g(1)\n    g(1)\n    return a\n"
    every = list(mutants(source))
    assert len({mutant.name for mutant in every}) == len(every)
    assert len({mutant.text for mutant in every}) == len(every)
    assert "A: 1 -> 2" in {mutant.name for mutant in every}
    assert "f: g(1) -> pass (2)" in {mutant.name for mutant in every}
    assert all(ast.unparse(ast.parse(mutant.text)) != written(source) for mutant in every)
    assert {mutant.line for mutant in every} == {1, 3, 4, 5}
