from service.tools.terms import Outcome, ToolFailed, refused, unclear, unsent


def test_what_never_left_us_may_be_tried_again_by_any_tool() -> None:
    assert unsent("Why.") == Outcome("failed", detail="Why.", may_retry=True)


def test_what_was_refused_is_not_tried_again() -> None:
    assert refused("Why.") == Outcome("failed", detail="Why.")


def test_what_may_have_acted_is_tried_again_only_when_that_is_harmless() -> None:
    assert unclear("Why.", is_idempotent=True) == Outcome(
        "unanswered", detail="Why.", may_retry=True
    )
    assert unclear("Why.", is_idempotent=False) == Outcome("unanswered", detail="Why.")


def test_a_function_says_that_it_did_not_act_and_whether_to_come_again() -> None:
    assert ToolFailed("Closed.").may_retry is False
    assert ToolFailed("Busy.", may_retry=True).detail == "Busy."
