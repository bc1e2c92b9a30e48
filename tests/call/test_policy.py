import pytest

from service.call.policy import Policy, ToolTerms


def test_a_policy_is_a_value_that_nobody_changes() -> None:
    policy = Policy(tools={"note": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=9)})
    with pytest.raises(AttributeError):
        policy.drops_max = 3  # type: ignore[misc] # that is the point


def test_without_settings_there_are_no_tools_and_ten_drops_a_minute_are_enough() -> None:
    assert Policy() == Policy(drops_max=10, window_ms=60_000, tools={}, summary_tool="")
