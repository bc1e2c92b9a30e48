from service.session.duplex.input_tail import IDLE_MAX, TAIL_MAX, InputTail


def test_while_nobody_speaks_only_a_moment_is_kept() -> None:
    tail = InputTail()
    tail.add(b"a" * IDLE_MAX, is_idle=True)
    tail.add(b"b" * 160, is_idle=True)
    assert tail.again() == b"a" * (IDLE_MAX - 160) + b"b" * 160


def test_while_the_caller_speaks_all_is_kept_up_to_half_a_minute() -> None:
    tail = InputTail()
    tail.add(b"a" * TAIL_MAX, is_idle=False)
    tail.add(b"b" * 160, is_idle=False)
    assert len(tail.again()) == TAIL_MAX
    assert tail.again().endswith(b"b" * 160)


def test_what_the_model_has_taken_in_is_let_go_by_its_place_in_the_session() -> None:
    tail = InputTail()
    tail.add(b"abcdef", is_idle=False)
    tail.took(4)
    assert tail.again() == b"ef"
    tail.add(b"gh", is_idle=False)  # Now "e" is the first sample of the session.
    tail.took(3)
    tail.took(2)
    assert tail.again() == b"h"
    tail.took(99)
    assert tail.again() == b""


def test_what_is_forgotten_is_told_to_no_session() -> None:
    tail = InputTail()
    tail.add(b"abcdef", is_idle=False)
    tail.forget()
    assert tail.again() == b""
