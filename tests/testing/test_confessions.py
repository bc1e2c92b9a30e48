import logging

from service.testing.confessions import KEPT_MAX, Confessions

LOG = logging.getLogger("service.session.conversation.thinking")


def fail(call_sid: str, action: str = "agent_failed") -> None:
    told = {"action": action, "call_sid": call_sid}
    LOG.error("! the agent failed", exc_info=ValueError(call_sid), extra=told)


def test_what_the_agents_raised_is_kept_by_call() -> None:
    with Confessions() as confessions:
        fail("CA1")
        fail("CA2")
    fail("CA1")
    assert [str(error) for error in confessions.of("CA1")] == ["CA1"]
    assert confessions.of("CA3") == []


def test_other_troubles_are_not_the_agents() -> None:
    with Confessions() as confessions:
        fail("CA1", action="store_failed")
        LOG.error("! the agent failed", extra={"action": "agent_failed", "call_sid": "CA1"})
    assert confessions.heard == []


def test_an_agent_that_always_fails_fills_no_memory() -> None:
    with Confessions() as confessions:
        for _ in range(KEPT_MAX + 5):
            fail("CA1")
    assert len(confessions.of("CA1")) == KEPT_MAX
