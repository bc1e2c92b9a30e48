import ast
import itertools
import linecache
import logging
import re
import sys
from pathlib import Path

import pytest

from service.errors import CarrierError, StoreError
from service.redaction import (
    CAUSES_MAX,
    FILES_MAX,
    FRAMES_MAX,
    NUMBER_MAX,
    OWN,
    TIME_MAX,
    WITHHELD,
    foreign,
    own_words,
    sentence,
    shown,
    stack,
    trace,
)

CALL = "CA" + "0f" * 16
ROOT = Path(__file__).parent.parent
OWN_FOLDER = re.escape(f"{ROOT.name}/tests")


def raised(trouble: Exception) -> Exception:
    def fail() -> None:
        raise trouble

    with pytest.raises(type(trouble)) as caught:
        fail()
    return caught.value


@pytest.mark.parametrize("value", [None, True, 0, -12, NUMBER_MAX - 1, 2.5, CALL])
def test_what_cannot_be_a_secret_is_shown(value: object) -> None:
    assert shown(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "Sarah",
        "5",
        "",
        CALL[:-1],
        CALL + "0",
        "ca" + "0f" * 16,
        NUMBER_MAX,
        -NUMBER_MAX,
        4.1e15,
        b"Sarah",
        ["Sarah"],
        {"name": "Sarah"},
        object(),
    ],
)
def test_any_other_value_is_withheld(value: object) -> None:
    assert shown(value) == WITHHELD


def test_a_time_is_shown_where_it_is_called_one_and_a_card_number_never() -> None:
    assert shown(1_700_000_000_000, "last_media_ms") == 1_700_000_000_000
    assert shown(1_700_000_000_000, "caller") == WITHHELD
    assert shown(4_111_111_111_111_111, "at_ms") == WITHHELD


def test_only_the_name_of_an_action_needs_no_mark() -> None:
    assert shown("stream_attached", "action") == "stream_attached"
    assert shown("stream_attached", "reason") == shown("Sarah!", "action") == WITHHELD


@pytest.mark.parametrize(
    "number", ["+491721234567", "0172 123-4567", "4111 1111 1111 1111", "12345678"]
)
def test_a_number_is_withheld_even_in_a_text_of_our_own(number: str) -> None:
    assert shown(own_words(f"to {number}.")) == f"to {WITHHELD}."
    assert shown(own_words("within 2,000 ms of 12")) == "within 2,000 ms of 12"


def test_our_own_words_are_a_text_and_carry_nothing_else() -> None:
    assert not hasattr(own_words("drop"), "__dict__")


def test_an_error_is_its_kind_its_numbers_and_its_place() -> None:
    error = raised(CarrierError("no such number: +4917212345", status=404, code=20_404))
    told = str(shown(error))
    assert told.startswith("CarrierError 404 20404 (")
    assert "4917" not in told
    assert shown(ValueError("Sarah")) == "ValueError"
    assert shown(ValueError) == "ValueError"


def test_a_template_is_filled_with_what_may_be_shown() -> None:
    values = (own_words("drop"), 3, "Sarah", 1.26)
    assert (
        sentence("= %s, epoch %d, %r, %.1f s, 5 %%", values)
        == f"= drop, epoch 3, '{WITHHELD}', 1.3 s, 5 %"
    )
    assert sentence("%(who)s %(count)03d", {"who": "Sarah", "count": 7}) == f"{WITHHELD} 007"


def test_a_template_and_values_that_do_not_fit_are_a_line_all_the_same() -> None:
    assert (
        sentence("%d of %d and %s", (NUMBER_MAX, "Sarah"))
        == f"{WITHHELD} of {WITHHELD} and {WITHHELD}"
    )
    assert sentence("none", ("Sarah",)) == "none"
    assert sentence("%s", "Sarah") == WITHHELD
    assert sentence("%y %*d", (1, 2)) == "1 2"


def test_another_packages_text_is_shown_when_it_stands_in_its_code() -> None:
    path = logging.__file__
    known = "--- Logging error ---"
    assert foreign(f"{known}\nfuture: Sarah", path) == known
    assert foreign(f"{known} of Sarah", path) == WITHHELD
    assert foreign("", path) == foreign("x", "<nowhere>") == WITHHELD


def test_a_trace_tells_kinds_and_places_of_all_that_an_error_came_of() -> None:
    outer = StoreError("Sarah can't be kept")
    with pytest.raises(ValueError, match="key") as inner:
        raised_inside()
    outer.__cause__ = inner.value
    first, then = trace(raised(outer)).split("\ncame of ")
    assert first.startswith("StoreError:\n  ")
    assert then.startswith("ValueError:\n  ")
    assert then.endswith("in raised_inside")
    assert "Sarah" not in first + then


def raised_inside() -> None:
    raise ValueError("Sarah's key is 1234")


def test_a_trace_tells_of_groups_and_ends() -> None:
    group = ExceptionGroup("Sarah", [ValueError("Sarah"), KeyError("Sarah")])
    told = trace(group)
    assert [kind in told for kind in ("ExceptionGroup", "ValueError", "KeyError", "Sarah")] == [
        True,
        True,
        True,
        False,
    ]
    row: BaseException = ValueError("0")
    for _ in range(20):
        after = ValueError("1")
        after.__cause__ = row
        row = after
    assert trace(row).count("ValueError") == 8


def calls_of(name: str) -> list[ast.Call]:
    return [
        node
        for path in sorted((ROOT / "service").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[0 if name == "_log" else 2] == name
    ]


def test_the_template_of_every_log_call_is_a_literal() -> None:
    """What is no literal would be shown as if it were our own words."""
    calls = [one for name in ("_log", "logger") for one in calls_of(name)]
    assert len(calls) > 50
    assert not [one for one in calls if not isinstance(one.args[0], ast.Constant)]


def test_whatever_is_marked_as_our_own_is_looked_at_here_first() -> None:
    """A new mark is a decision: nothing that others have said may ever be in it."""
    marked = {ast.unparse(one.args[0]) for one in calls_of("own_words")}
    assert marked == MARKED


MARKED = {
    "', '.join(allowed)", "', '.join(names)", "kind", "last.cause if last else 'none'",
    "', and it asks again and again' if is_circling else ''", "'asked'", "'gone_at_carrier'", "'unknown'",
    "carried.by", "cause", "done.outcome", "effect.tool", "name", "outcome.status", "reason", "receipt", "says.outcome", "server", "stack(frame)",
    "getattr(request.scope.get('endpoint'), '__qualname__', 'no route')", "status", "str(self._folder)",
    "str(trouble)", "told", "trouble", "trouble.title", "what", "where", "why",
}  # fmt: skip


def test_the_marks_of_a_place_are_withheld_one_by_one() -> None:
    pairs = itertools.product([own_words("drop"), "drop"], repeat=2)
    assert [sentence("%s %s", pair) for pair in pairs] == [
        "drop drop",
        f"drop {WITHHELD}",
        f"{WITHHELD} drop",
        f"{WITHHELD} {WITHHELD}",
    ]


def test_the_limits_are_those_that_were_promised() -> None:
    limits = (NUMBER_MAX, TIME_MAX, CAUSES_MAX, FRAMES_MAX, FILES_MAX)
    assert limits == (10**7, 10**14, 8, 30, 64)
    assert (WITHHELD, OWN) == ("•••", ("service", "twiml", "__main__"))


@pytest.mark.parametrize(
    ("value", "name", "is_shown"),
    [
        (NUMBER_MAX, "", False),
        (-NUMBER_MAX, "", False),
        (float(NUMBER_MAX), "", False),
        (TIME_MAX - 1, "at_ms", True),
        (TIME_MAX - 1, "at_us", True),
        (TIME_MAX, "at_ms", False),
        (NUMBER_MAX, "at", False),
    ],
)
def test_a_number_is_shown_below_its_limit(value: float, name: str, *, is_shown: bool) -> None:
    """S-8: a number of eight letters may be somebody's phone."""
    assert shown(value, name) == (value if is_shown else WITHHELD)


def deep(floors: int) -> None:
    if floors == 0:
        raise OSError(2, "Sarah")
    deep(floors - 1)


def test_a_trace_names_the_innermost_places_by_three_parts_of_their_path() -> None:
    with pytest.raises(OSError, match="Sarah") as caught:
        deep(40)
    kind, *places = trace(caught.value).splitlines()
    assert kind in ("FileNotFoundError 2:", "OSError 2:")
    assert len(places) == FRAMES_MAX
    assert re.fullmatch(rf"  {OWN_FOLDER}/test_redaction\.py:\d+ in deep", places[-1])
    place = places[-1].strip()
    assert shown(caught.value) == f"{kind[:-1]} ({place})"


def deep_down(floors: int) -> str:
    return deep_down(floors - 1) if floors else stack(sys._getframe())


def test_a_stack_names_the_innermost_places_and_no_values() -> None:
    places = deep_down(40).splitlines()
    assert len(places) == FRAMES_MAX
    assert re.fullmatch(rf"  {OWN_FOLDER}/test_redaction\.py:\d+ in deep_down", places[-1])


def test_a_stack_is_told_without_reading_a_file() -> None:
    """It is asked for when the process is held up, maybe by a disk."""
    linecache.clearcache()
    assert deep_down(3)
    assert not [path for path, (_, *read) in linecache.cache.items() if read]


def test_a_trace_follows_what_an_error_came_of_unless_that_was_denied() -> None:
    denied, followed = ValueError("a"), ValueError("b")
    for error in (denied, followed):
        error.__context__ = KeyError("c")
    denied.__suppress_context__ = True
    assert trace(denied) == "ValueError:"
    assert trace(followed) == "ValueError:\ncame of KeyError:"


def test_a_trace_of_a_large_group_is_bounded() -> None:
    told = trace(ExceptionGroup("many", [ValueError(str(n)) for n in range(20)]))
    assert told.count("ValueError") == CAUSES_MAX


def test_an_errors_numbers_are_whole_small_and_not_zero() -> None:
    told = [
        str(shown(CarrierError("x", status=status, code=code)))
        for status, code in ((404, 0), (500, 1), (404, NUMBER_MAX))
    ]
    assert told == ["CarrierError 404", "CarrierError 500 1", f"CarrierError 404 {WITHHELD}"]
    assert shown(SystemExit("Sarah hung up")) == "SystemExit"


def test_another_packages_text_may_stand_in_either_quotes(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("a = 'single %s'\nb = \"double %s\"\nc = bare %s\n", encoding="utf-8")
    assert foreign("single %s", str(code)) == "single %s"
    assert foreign("double %s", str(code)) == "double %s"
    assert foreign("bare %s", str(code)) == WITHHELD
    assert foreign("", str(code)) == WITHHELD


def test_values_are_filled_in_by_their_places_in_the_template() -> None:
    assert sentence("%% %s %s", (1,)) == f"% 1 {WITHHELD}"
    assert sentence("%(b)s %(a)s %(c)s", {"a": 1, "b": 2}) == "2 1 None"
    assert sentence("%d", own_words("x")) == "x"


def test_a_template_may_ask_by_place_and_by_name_and_for_more_than_there_is() -> None:
    assert sentence("%s %(count)d", {"count": 7}) == f"{WITHHELD} 7"
    assert sentence("%5d", ()) == WITHHELD
    assert sentence("%(count)5d", ()) == "None"
