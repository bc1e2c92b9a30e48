"""Requirement S-13: 40 canary secrets through every log call of the service, and none comes out."""

import ast
import io
import itertools
import json
import logging
import re
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from service import logs
from service.errors import StoreError

pytestmark = pytest.mark.usefixtures("logging_of_others")

ROOT = Path(__file__).parent.parent
# Written with a mark in the middle, because a text that stands in a file of code counts as the code's own.
_MARKED = """
+4917¦21234567 | 0172 ¦1234567 | (415) 5¦55-0134 | 0044 20¦ 7946 0958 | 411111¦1111111111 | 4111 1111¦ 1111 1111
5500-0055¦-5555-5559 | 3782822¦46310005 | 1w2w¦3w4 | 90¦210 | 47¦11 | Bearer s3¦cr3t-token
v1.k0.CA12.¦AC34.resume.99.abc.Zm9v | eyJhbGci¦OiJIUzI1NiJ9.e30.abc | 0a1b2c3d4e5f¦60718293a4b5c6d7e8f9
password=¦hunter2 | hun¦ter2 | sk-live-¦51H8xQ | X-Twilio-Signature: ¦abc= | redis://user:¦pw@host:6379/0
https://a:b@¦example.org/?token=x | sarah@¦example.org | Sar¦ah | O'Co¦nnor | my mother's ¦maiden name is Braithwaite
the printer ¦smokes | twelve ¦Rosewood Crescent | Mül¦ler | Maid¦stone | SUP-¦4711 | Quetzal¦coatl | born on ¦the 3rd of May 1974
DE89370400¦440532013000 | 078-05-¦1120 | 192.168.¦17.4 | stayline=1.¦abc.999.nonce.mac | {"digit":¦"5"} | %s%s¦%n
key 🔑¦ of mine | swordf¦ish
"""
CANARIES = tuple(one.strip().replace("¦", "") for one in re.split(r"[|\n]", _MARKED) if one.strip())


class Screen(io.StringIO):
    """Where a person reads, or a collector does."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    @override
    def isatty(self) -> bool:
        """Whether a person reads."""
        return self._is_terminal


@pytest.fixture(params=[False, True], ids=["json", "terminal"])
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Screen:
    place = Screen(is_terminal=request.param)
    monkeypatch.setattr(sys, "stderr", place)
    logs.set_up("DEBUG")
    return place


def log_calls() -> list[tuple[str, str, ast.Call]]:
    return [
        (f"{path.relative_to(ROOT)}".removesuffix(".py").replace("/", "."), node.func.attr, node)
        for path in sorted((ROOT / "service").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in ("_log", "logger")
    ]


def tell(name: str, level: int, text: object, *values: object, **more: Any) -> None:
    """Log as `name` does, but past pytest's own listener, which takes a wrong template for a failure."""
    log = logging.getLogger(name)
    if log.isEnabledFor(level):
        exc = more.get("exc_info")
        raised = (type(exc), exc, exc.__traceback__) if exc else None
        record = log.makeRecord(
            name, level, logging.__file__, 1, text, values, raised, extra=more.get("extra")
        )
        logging.getLogger().handlers[0].handle(record)


def extra_of(call: ast.Call) -> list[str]:
    told = next((one.value for one in call.keywords if one.arg == "extra"), None)
    names = [one.value for one in getattr(told, "keys", []) if isinstance(one, ast.Constant)]
    return [str(name) for name in names]


def failing(canary: str) -> Exception:
    """An error that tells all, came of another one, and was raised where the secret is at hand."""
    try:
        return _failing({}, canary)
    except KeyError as trouble:
        outer = StoreError(f"it can't keep {canary} of {canary!r}")
        outer.__cause__ = trouble
        return ExceptionGroup(canary, [outer, ValueError(canary, canary)])


def _failing(row: dict[str, Exception], canary: str) -> Exception:
    return row[canary]


def leaked(screen: Screen) -> list[str]:
    """Return what came out of all that was told; JSON's own escapes are read first."""
    text = screen.getvalue()
    assert text
    return [canary for canary in CANARIES if canary in text or json.dumps(canary)[1:-1] in text]


def test_no_secret_comes_out_of_any_log_call(screen: Screen) -> None:
    calls = log_calls()
    assert len(calls) > 50
    assert len(CANARIES) == 40
    for (module, level, call), canary in itertools.product(calls, CANARIES):
        template = ast.literal_eval(call.args[0])
        row = [canary, failing(canary), {"x": canary}, canary.encode()]
        values = [row[place % 4] for place in range(len(call.args) - 1)]
        extra: dict[str, object] = dict.fromkeys(extra_of(call), canary)
        extra |= {"action": "seen", "stray": [canary], "trouble": failing(canary)}
        number = logging.getLevelNamesMapping()["ERROR" if level == "exception" else level.upper()]
        tell(module, number, template, *values, extra=extra, exc_info=failing(canary))
    assert not leaked(screen)


def test_no_secret_comes_out_of_what_others_log(screen: Screen) -> None:
    names = (
        "websockets.server",
        "httpx2",
        "openai._base_client",
        "asyncio",
        "uvicorn.error",
        "any",
        "",
    )
    for name, canary in itertools.product(names, CANARIES):
        told = f"Exception in callback {canary}"
        for level in (logging.DEBUG, logging.WARNING, logging.CRITICAL):
            tell(name, level, "< TEXT '%s' [%d bytes]", canary, len(canary))
            tell(name, level, told)
            tell(name, level, canary, exc_info=failing(canary))
            tell(name, level, "%d", canary)
        warnings.showwarning(canary, ResourceWarning, canary, 1)
    assert not leaked(screen)


@pytest.mark.parametrize("canary", CANARIES[::8])
def test_no_secret_comes_out_of_what_ends_a_thread_or_the_process(
    screen: Screen, canary: str
) -> None:
    trouble = failing(canary)
    sys.excepthook(type(trouble), trouble, trouble.__traceback__)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(canary), None)

    def fail() -> None:
        raise trouble

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    threading.excepthook(threading.ExceptHookArgs((ValueError, None, None, None)))

    class Unraisable:
        exc_type, exc_value, err_msg = ValueError, ValueError(canary), canary

    sys.unraisablehook(Unraisable())  # type: ignore[arg-type]  # made by the interpreter alone
    assert "ExceptionGroup" in screen.getvalue()
    assert "ValueError" in screen.getvalue()
    assert not leaked(screen)


def test_a_line_that_cannot_be_written_leaves_no_values(screen: Screen) -> None:
    class Broken:
        @override
        def __str__(self) -> str:
            raise RuntimeError("Sarah")

    tell("service.x", logging.WARNING, Broken())
    told = screen.getvalue()
    assert "a log line failed: __init__:" in told
    assert "Sarah" not in told
