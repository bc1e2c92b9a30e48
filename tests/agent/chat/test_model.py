from service.agent.chat.model import Unanswered
from service.errors import BrainError


def test_an_answer_that_did_not_come_is_an_error_of_the_brain() -> None:
    trouble = Unanswered("the model's server answered 429", may_retry=True, retry_after_ms=500)
    assert isinstance(trouble, BrainError)
    assert (trouble.may_retry, trouble.retry_after_ms) == (True, 500)
    assert str(trouble) == "the model's server answered 429"
