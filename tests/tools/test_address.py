import string
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, strategies as st

from service.tools.address import URL_LETTERS_MAX, Address
from service.tools.terms import ToolArguments

TEMPLATE = "https://crm.example.com:8443/v2/tickets/{ticket_id}/notes?lang={lang}&v=1"


def test_arguments_stand_in_their_places() -> None:
    made = Address(TEMPLATE).filled({"ticket_id": "TKT 1", "lang": "a&b=c"}, is_queried=False)
    assert made == "https://crm.example.com:8443/v2/tickets/TKT%201/notes?lang=a%26b%3Dc&v=1"


def test_the_rest_of_the_arguments_is_the_query_or_is_left_for_the_body() -> None:
    address = Address("http://h/t/{id}")
    arguments = {"id": 5, "text": "a b", "tags": ["x", "y"], "on": True, "deep": {"a": None}}
    made = address.filled(arguments, is_queried=True)
    assert urlsplit(made).path == "/t/5"
    assert parse_qs(urlsplit(made).query) == {
        "text": ["a b"],
        "tags": ["x", "y"],
        "on": ["true"],
        "deep": ['{"a":null}'],
    }
    assert address.filled(arguments, is_queried=False) == "http://h/t/5"
    assert "id" not in address.rest(arguments)


def test_an_address_may_have_no_path() -> None:
    assert Address("http://h").filled({"q": "1"}, is_queried=True) == "http://h/?q=1"


HOSTILE = ["", ".", "..", "../x", "a/b", "/", "//evil", "\\..\\x", "a\0b", "a\nb", "\x7f", "..\\", "/../../admin"]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_argument_leads_to_another_path(hostile: str) -> None:
    with pytest.raises(ToolArguments) as wrong:
        Address("http://h/t/{id}").filled({"id": hostile}, is_queried=False)
    assert str(wrong.value).startswith("The argument id ")


@pytest.mark.parametrize("template", ["http://h/a/.{id}/b", "http://h/a/{id}{more}/b"])
def test_dots_beside_a_place_do_not_climb_either(template: str) -> None:
    with pytest.raises(ToolArguments):
        Address(template).filled({"id": ".", "more": "."}, is_queried=False)


@given(st.text())
def test_whatever_the_argument_the_url_keeps_its_shape(text: str) -> None:
    try:
        made = Address(TEMPLATE).filled({"ticket_id": text, "lang": text}, is_queried=False)
    except (ToolArguments, UnicodeEncodeError):
        return
    parts = urlsplit(made)
    assert parts.netloc == "crm.example.com:8443"
    assert [unquote(one) for one in parts.path.split("/")] == ["", "v2", "tickets", text, "notes"]
    assert parts.path.split("/")[3] not in {"", ".", ".."}
    assert parse_qs(parts.query, keep_blank_values=True) == {"lang": [text], "v": ["1"]}
    assert set(made) <= set(string.ascii_letters + string.digits + "-._~%:/?&=")


def test_an_argument_that_is_missing_is_told() -> None:
    with pytest.raises(ToolArguments, match="The argument id is missing"):
        Address("http://h/{id}").filled({}, is_queried=False)


def test_what_is_too_long_for_a_url_is_told() -> None:
    with pytest.raises(ToolArguments, match="too long"):
        Address("http://h/").filled({"q": "x" * URL_LETTERS_MAX}, is_queried=True)


@pytest.mark.parametrize(
    ("template", "trouble"),
    [
        ("", "must begin"),
        ("/relative", "must begin"),
        ("ftp://h/x", "must begin"),
        ("file:///etc/passwd", "must begin"),
        ("http:///x", "must begin"),
        ("http://user:pass@h/", "user or password"),
        ("http://user@h/", "user or password"),
        ("http://h/#{id}", "fragment"),
        ("http://h/x#", "fragment"),
        ("http://{id}/x", "fixed host"),
        ("http://{id}.example.com/x", "fixed host"),
        ("http://h:{id}/x", "fixed host"),
        ("http://h:0/x", "fixed host"),
        ("http://a..b/x", "fixed host"),
        (f"http://{'a' * 64}.example.com/x", "fixed host"),
        ("http://h:99999/x", "fixed host"),
        ("http://[::1/x", "Invalid IPv6"),
        ("http://user:secret/x@h", "fixed host and port$"),
        ("http://h/a b", "plain ASCII"),
        ("http://h/é", "plain ASCII"),
        ("http://h/a\\b", "plain ASCII"),
        ("http://h/{id", "belongs to no"),
        ("http://h/id}", "belongs to no"),
        ("http://h/{{id}}", "belongs to no"),
    ],
)
def test_a_template_that_cannot_be_used_is_one_clear_line(template: str, trouble: str) -> None:
    with pytest.raises(ValueError, match=trouble) as wrong:
        Address(template)
    assert "\n" not in str(wrong.value)


def test_the_places_of_a_template_are_known() -> None:
    places: Any = Address(TEMPLATE).places
    assert places == {"ticket_id", "lang"}
