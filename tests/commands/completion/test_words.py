import argparse
from pathlib import Path

from service.commands.completion.words import FILES, FREE, Flag, places


def test_every_word_is_read_off_the_parsers() -> None:
    root = argparse.ArgumentParser(prog="one", add_help=False)
    below = root.add_subparsers()
    leaf = below.add_parser("two", help="it's $two", add_help=False)
    leaf.add_argument("-o", "--output", type=Path, metavar="FILE", help="default `%(default)s`")
    leaf.add_argument("--kind", choices=("a", "b"))
    leaf.add_argument("--name")
    leaf.add_argument("--loud", action="store_true", help="shout")
    leaf.add_argument("files", nargs="*", metavar="FILE")
    first, second = places(root)
    assert (first.name, first.words, first.flags) == ("", (("two", "it's $two"),), ())
    assert (second.name, second.values) == ("two", FILES)
    assert second.flags == (
        Flag(("-o", "--output"), FILES, "default None"),
        Flag(("--kind",), "a b", ""),
        Flag(("--name",), FREE, ""),
        Flag(("--loud",), "", "shout"),
    )
