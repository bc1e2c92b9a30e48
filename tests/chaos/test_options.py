import argparse

from service.chaos.options import add_arguments
from service.chaos.plan import Plan


def test_every_field_of_a_plan_has_an_option_with_its_plain_value() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    plain = vars(parser.parse_args([]))
    for name in Plan.__struct_fields__:
        if name not in ("from_", "rest_port", "media_ms"):
            assert plain[name] == getattr(Plan(), name), name
