import io

from typing_extensions import override

from service.commands.progress import Progress


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def test_a_person_at_a_terminal_sees_how_far_it_is() -> None:
    out = Terminal()
    with Progress("erasing", out) as progress:
        progress.show(3, 7)
        progress.name("still erasing")
    assert "3/7" in out.getvalue()
    assert "still erasing" in out.getvalue()


def test_nobody_else_sees_a_bar() -> None:
    out = io.StringIO()
    with Progress("erasing", out) as progress:
        progress.show(3, 7)
    assert not out.getvalue()
