import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from uvicorn.lifespan import on
from uvicorn.loops import asyncio as loops
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.websockets import websockets_sansio_impl

from service.testing import plugin
from service.testing.stayline import Stayline
from tests.testing.agents import Echo

pytest_plugins = ["pytester"]

# An inner session forgets the modules that it loaded, and a second copy of these would not know the
# first one's exceptions. uvicorn loads them late; here they are loaded before.
LOADED = (httptools_impl, websockets_sansio_impl, on, loops)

ROOT = Path(__file__).parent.parent.parent
ENTRY_POINT = "[pytest11]\nstayline = service.testing.plugin\n"


@pytest.fixture
def alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder for tests that run with this plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


def ran(pytester: pytest.Pytester, test: str) -> pytest.RunResult:
    pytester.makepyfile("from tests.testing.agents import *\n\n" + test)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", plugins=[plugin])


def installed(pytester: pytest.Pytester, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of the folder in a process of its own, with the plugin as an installation brings it."""
    folder = pytester.path / "stayline_0-0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: stayline-0\nVersion: 0\n")
    (folder / "entry_points.txt").write_text(ENTRY_POINT)
    places = os.pathsep.join((str(pytester.path), str(ROOT)))
    return subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=pytester.path,
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_was_waited_for_in_vain_is_told_with_the_story(alone: pytest.Pytester) -> None:
    outcome = ran(
        alone,
        """
def test_it(stayline):
    call = stayline.call(Echo, client_name="Maria")
    call.hears("Hello Maria")
    call.hears("something else", within_ms=300)
""",
    )
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        [
            "*Unmet: hears 'something else': not within 300 ms*",
            "*rang*",
            "*stream_opened*",
            "*heard: Hello Maria, what can I do for you?*",
            "*agent: Hello Maria, what can I do for you?*",
        ]
    )
    outcome.stdout.no_fnmatch_line("*the calls of this test*")


def test_an_ordinary_assertion_that_fails_gets_the_story_below_it(alone: pytest.Pytester) -> None:
    outcome = ran(
        alone,
        """
def test_it(stayline):
    call = stayline.call(Echo, client_name="Maria")
    call.hears("Hello Maria")
    assert call.greetings == 2
""",
    )
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*assert 1 == 2*", "*the calls of this test*", "*heard: Hello*"])


def test_an_agent_that_raises_fails_the_wait_and_is_named_as_its_cause(
    alone: pytest.Pytester,
) -> None:
    outcome = ran(
        alone,
        """
def test_it(stayline):
    call = stayline.call(Clumsy)
    call.hears("Hello there")
    call.says("how are you")
    call.hears("I am fine")
""",
    )
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        ["*RuntimeError: I stumbled*", "*Unmet: hears 'I am fine'*raised*"]
    )


def test_an_agent_that_raises_unseen_fails_the_test_at_its_end(alone: pytest.Pytester) -> None:
    outcome = ran(
        alone,
        """
def test_it(stayline):
    call = stayline.call(Clumsy)
    call.hears("Hello there")
    call.says("how are you")
    while not call.agent_errors:
        pass
""",
    )
    outcome.assert_outcomes(passed=1, errors=1)
    outcome.stdout.fnmatch_lines(["*I stumbled*", "*the agent raised in a call of this test*"])


def test_an_agent_that_may_fail_is_heard_to_apologise(alone: pytest.Pytester) -> None:
    outcome = ran(
        alone,
        """
def test_it(stayline):
    call = stayline.call(Clumsy, agent_may_fail=True)
    call.hears("Hello there")
    call.says("how are you")
    call.hears("I'm sorry")
    assert str(call.agent_errors[0]) == "I stumbled"
""",
    )
    outcome.assert_outcomes(passed=1)


def test_the_example_of_the_readme_works_as_it_stands(alone: pytest.Pytester) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (agent,) = (block for block in blocks if "class Echo" in block)
    (test,) = (block for block in blocks if "(stayline)" in block)
    alone.makepyfile(f"{agent}\n\n{test}")
    outcome = alone.runpytest_inprocess("-p", "no:cacheprovider", plugins=[plugin])
    outcome.assert_outcomes(passed=1)


def test_settings_are_made_by_a_fixture(alone: pytest.Pytester) -> None:
    outcome = ran(
        alone,
        """
import pytest

@pytest.fixture
def stayline_settings():
    return {"drop_limit": "no limit"}

def test_it(stayline):
    with pytest.raises(ValueError, match="drops/seconds"):
        stayline.call(Echo)
""",
    )
    outcome.assert_outcomes(passed=1)


def test_a_session_that_makes_no_call_does_not_load_the_service(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
import sys

def test_it():
    assert "service.testing.plugin" in sys.modules
    assert "service.app" not in sys.modules
"""
    )
    outcome = installed(pytester)
    assert "1 passed" in outcome.stdout, outcome.stdout + outcome.stderr


def test_the_plugin_can_be_left_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(stayline): pass")
    outcome = installed(pytester, "-p", "no:stayline")
    assert "fixture 'stayline' not found" in outcome.stdout, outcome.stdout + outcome.stderr


def test_calls_are_made_in_several_workers_at_once(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(
        """
import pytest
from tests.testing.agents import Echo

@pytest.mark.parametrize("name", ["Maria", "Omar"])
def test_it(stayline, name):
    call = stayline.call(Echo, client_name=name)
    call.hears(f"Hello {name}")
"""
    )
    outcome = installed(pytester, "-n", "2")
    assert "2 passed" in outcome.stdout, outcome.stdout + outcome.stderr


@pytest.mark.asyncio
async def test_an_async_test_may_call_too(stayline: Stayline) -> None:
    stayline.call(Echo, client_name="Maria").hears("Hello Maria")
