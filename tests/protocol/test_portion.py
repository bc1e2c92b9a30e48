import pytest

from service.protocol.portion import MARK_EVERY, MESSAGE, MESSAGE_MIN, portion


@pytest.mark.parametrize(
    ("left", "sizes"),
    [
        (0, []),
        (1, [1]),
        (MESSAGE, [MESSAGE]),
        (MESSAGE + 1, [(MESSAGE + 1) // 2, MESSAGE // 2 + 1]),
        (MESSAGE + MESSAGE_MIN, [MESSAGE, MESSAGE_MIN]),
        (10 * MESSAGE, [MESSAGE, MESSAGE]),
    ],
)
def test_it_goes_to_the_next_mark_or_the_clauses_end_and_no_message_is_short(
    left: int, sizes: list[int]
) -> None:
    assert portion(left, 0) == sizes


def test_where_a_mark_is_due_and_can_not_be_sent_the_messages_go_out_one_by_one() -> None:
    assert portion(10 * MESSAGE, MARK_EVERY) == [MESSAGE]
    assert portion(10 * MESSAGE, MARK_EVERY - 1) == [MESSAGE]
    assert portion(10 * MESSAGE, MARK_EVERY - MESSAGE) == [MESSAGE]


def test_whatever_is_left_all_of_it_goes_out_in_the_end() -> None:
    for left in range(3_000, 12_000, 7):
        rest = left
        while rest:
            sizes = portion(rest, 0)
            assert all(MESSAGE_MIN <= size <= MESSAGE for size in sizes)
            rest -= sum(sizes)
