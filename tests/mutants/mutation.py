"""Small changes of a module, one each: what a slip of the hand, or a check left out, would look like.

    a < b ── a <= b        a and b ── a, b, a or b       not a ── a          if a: ── if not a:
    7 ── 8, 6              "word" ── "word?"             a + b ── a - b      f(a, b) ── f(b, a)
    return a ── return None                              a call, an assignment, a raise ── nothing

Left alone are annotations, docstrings, decorators, a class's keywords and sentences (texts with a space).
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COUNTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
_ASKED: Final = (ast.Compare, ast.BoolOp, ast.UnaryOp)  # conditions that have changes of their own
_SKIPPED: Final = {"annotation", "returns", "decorator_list", "type_params"}


@dataclass(frozen=True)
class Mutant:
    """A module with one change. `name` holds good as long as the changed code does."""

    name: str
    line: int
    before: str
    after: str
    text: str


@dataclass(frozen=True)
class _Place:
    """A node of the tree, the function it is in, and how to put another in its stead."""

    node: ast.AST
    scope: str
    put: Callable[[ast.AST], None]


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module. All are written anew from the tree, as `written` does it."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for place in list(_places(tree, "")):
        for changed in _changes(place.node):
            before = _line(place.node)
            place.put(changed)
            text, after = ast.unparse(ast.fix_missing_locations(tree)), _line(changed)
            place.put(place.node)
            name = f"{place.scope or 'module'}: {before} -> {after}"
            seen[name] += 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            yield Mutant(name, getattr(place.node, "lineno", 0), before, after, text)


def written(source: str) -> str:
    """Return the module as the mutants are written, without a change."""
    return ast.unparse(ast.parse(source))


def _line(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


def _places(parent: ast.AST, scope: str) -> Iterator[_Place]:
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope = f"{scope}.{parent.name}".lstrip(".")
    elif not scope and isinstance(parent, ast.Assign | ast.AnnAssign):
        scope = ast.unparse(parent.targets[0] if isinstance(parent, ast.Assign) else parent.target)
    for field, value in ast.iter_fields(parent):
        is_of_class = field == "keywords" and isinstance(parent, ast.ClassDef)
        if field in _SKIPPED or is_of_class:
            continue
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(node, ast.AST) and not _is_docstring(parent, field, index, node):
                yield _Place(node, scope, _putter(parent, field, index))
                yield from _places(node, scope)


def _putter(parent: ast.AST, field: str, index: int) -> Callable[[ast.AST], None]:
    def put(node: ast.AST) -> None:
        value = getattr(parent, field)
        if isinstance(value, list):
            value[index] = node
        else:
            setattr(parent, field, node)

    return put


def _is_docstring(parent: ast.AST, field: str, index: int, node: ast.AST) -> bool:
    is_first = field == "body" and index == 0 and not isinstance(parent, ast.Lambda)
    return is_first and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    yield from _of_values(node)
    yield from _of_statements(node)


def _of_values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare() | ast.BoolOp():
            yield from _of_conditions(node)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _COUNTED:
            yield ast.BinOp(left, _COUNTED[type(operator)](), right)
        case ast.Constant(value=value):
            yield from (ast.Constant(other) for other in _other_values(value))
        case ast.Call(args=[first, second, *rest]) if _are_two(first, second):
            yield ast.Call(node.func, [second, first, *rest], node.keywords)
        case _:
            pass


def _of_conditions(node: ast.Compare | ast.BoolOp) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            changed = copy.copy(node)
            changed.ops = [*node.ops[:index], _COMPARED[type(operator)](), *node.ops[index + 1 :]]
            yield changed
        return
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _are_two(first: ast.expr, second: ast.expr) -> bool:
    """Say whether two arguments can change places, and something would change by it."""
    is_one_each = not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred)
    return is_one_each and ast.dump(first) != ast.dump(second)


def _other_values(value: object) -> list[int | str | bytes]:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, value - 1]
        case str() if " " not in value.strip():
            return [value + "?"]
        case bytes():
            return [value + b"?"]
        case _:
            return []


def _of_statements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, _ASKED):
            changed = copy.copy(node)
            changed.test = ast.UnaryOp(ast.Not(), test)
            yield changed
        case ast.Raise() | ast.Assign() | ast.AugAssign() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
        case _:
            pass


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
