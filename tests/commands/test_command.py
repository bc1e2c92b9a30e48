import argparse

import pytest

from service.commands.command import FAILED, Parser, WrongWords, add_json, no_options, plain


def test_wrong_words_are_one_sentence_and_never_the_end_of_the_program() -> None:
    parser = Parser(prog="stayline one")
    add_json(parser, "it")
    with pytest.raises(
        WrongWords, match=r"^stayline one: .*--nope.*--help` tells more\.$"
    ) as wrong:
        parser.parse_args(["--nope"])
    assert wrong.value.code == FAILED
    assert parser.parse_args(["--json"]).json


def test_no_options_are_none() -> None:
    parser = argparse.ArgumentParser()
    no_options(parser)
    assert vars(parser.parse_args([])) == {}


def test_what_others_wrote_can_do_nothing_to_a_terminal() -> None:
    assert plain("a\x1b[31mb\nc") == "a?[31mb?c"
