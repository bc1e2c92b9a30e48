"""The pytest plugin: the fixture `stayline`, and the story of the call under a test that failed.

    def test_my_agent_survives_a_drop(stayline):
        call = stayline.call(agent=MyAgent, client_name="Maria Lopez")
        call.hears("Hello Maria Lopez")
        call.drop_stream()
        call.comes_back()

It is there once Stayline is installed, and costs sessions that don't use it nothing: the service is
imported when the fixture is first asked for. `-p no:stayline` leaves it out.
"""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

FIXTURE = "stayline"


@pytest.fixture
def stayline_settings() -> dict[str, Any]:
    """The service's settings in tests, by their names in small letters: define it anew to set some."""
    return {}


@pytest.fixture
def stayline(
    tmp_path_factory: pytest.TempPathFactory, stayline_settings: dict[str, Any]
) -> Iterator[Any]:
    """A telephone exchange, and calls to agents under test: see service.testing.stayline.Stayline."""
    from service.testing.stayline import Stayline  # noqa: PLC0415 - not before it is needed

    made = Stayline(tmp_path_factory.mktemp(FIXTURE), stayline_settings)
    try:
        yield made
    finally:
        made.close()
    error = made.unheard()
    if error is not None:
        raise AssertionError("the agent raised in a call of this test") from error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Put the stories of the calls under a test that failed otherwise than by one of them."""
    report: pytest.TestReport = yield
    used = getattr(item, "funcargs", {}).get(FIXTURE)
    if report.when != "call" or not report.failed or used is None:
        return report
    if used.calls and not used.was_told:
        report.sections.append(("the calls of this test", used.story()))
    return report
