import argparse

from service.simulator.replay.options import add_access, add_arguments


def test_every_option_has_its_plain_value() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    plain = vars(parser.parse_args([]))
    assert (plain["server"], plain["from_"], plain["drop_at"]) == (
        "http://127.0.0.1:8000",
        "+15550001",
        [],
    )
    assert (plain["clear_echoes"], plain["rest_port"], plain["json_"]) == (True, "", None)


def test_credentials_are_named_alike_by_whoever_needs_them() -> None:
    parser = argparse.ArgumentParser()
    add_access(parser.add_argument_group("a deployment"))
    words = vars(parser.parse_args(["--auth-token", "t"]))
    assert words == {
        "public_url": "",
        "rest_port": "",
        "auth_token": "t",
        "account_sid": "",
        "api_token": "",
    }
