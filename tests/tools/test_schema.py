from typing import Any

import pytest

from service.tools.schema import Schema
from service.tools.terms import ARGUMENTS_BYTES_MAX, ToolArguments

SECRET = "my-card-4111"
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ticket_id": {"type": "string", "pattern": "^TKT-[0-9]+$"},
        "text": {"type": "string", "maxLength": 20_000},
        "urgency": {"enum": ["low", "high"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 2},
        "caller": {"$ref": "#/$defs/caller"},
    },
    "$defs": {
        "caller": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        }
    },
    "required": ["ticket_id"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "arguments",
    [
        {"ticket_id": "TKT-1"},
        {"ticket_id": "TKT-1", "count": 9, "tags": ["a", "b"], "urgency": "low"},
        {"ticket_id": "TKT-1", "caller": {"name": "Ömer 🙂"}},
    ],
)
def test_arguments_that_fit_pass(arguments: dict[str, Any]) -> None:
    Schema(PARAMETERS).check(arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "The arguments must hold ticket_id."),
        ({"ticket_id": SECRET}, 'The argument ticket_id must keep to the rule pattern "^TKT-[0-9]+$".'),
        ({"ticket_id": 5}, 'The argument ticket_id must keep to the rule type "string".'),
        ({"ticket_id": "TKT-1", "urgency": SECRET}, 'The argument urgency must keep to the rule enum ["low","high"].'),
        ({"ticket_id": "TKT-1", "count": 10}, "The argument count must keep to the rule maximum 9."),
        ({"ticket_id": "TKT-1", "tags": [SECRET]}, "The argument tags must keep to the rule maxLength 4."),
        ({"ticket_id": "TKT-1", "caller": {}}, "The argument caller must hold name."),
        ({"ticket_id": "TKT-1", SECRET: 1}, "There are no arguments but caller, count, tags, text, ticket_id, urgency."),
        ({"ticket_id": "TKT-1", "text": "x" * ARGUMENTS_BYTES_MAX}, f"The arguments are longer than {ARGUMENTS_BYTES_MAX} bytes."),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_told_in_one_sentence_without_their_words(
    arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ToolArguments) as wrong:
        Schema(PARAMETERS).check(arguments)
    assert str(wrong.value) == sentence


@pytest.mark.parametrize(
    "arguments",
    [None, [], "x", {1: "x"}, {"ticket_id": "\ud800"}, {"text": float("nan")}, {"text": object()}],
)
def test_arguments_that_are_no_json_object_are_refused(arguments: object) -> None:
    with pytest.raises(ToolArguments, match="no JSON object"):
        Schema(PARAMETERS).check(arguments)


def test_arguments_nested_without_end_are_refused() -> None:
    nested: dict[str, Any] = {}
    nested["ticket_id"] = nested
    with pytest.raises(ToolArguments, match="no JSON object"):
        Schema(PARAMETERS).check(nested)


def test_a_schema_that_turns_in_a_circle_ends_in_a_sentence() -> None:
    circle = {"type": "object", "properties": {}, "$ref": "#"}
    with pytest.raises(ToolArguments, match="can't be checked"):
        Schema(circle).check({})


def test_a_rule_of_the_whole_is_told_by_its_name() -> None:
    few = {"type": "object", "properties": {}, "maxProperties": 1}
    with pytest.raises(
        ToolArguments, match=r"^The arguments must keep to the rule maxProperties\.$"
    ):
        Schema(few).check({"a": 1, "b": 2})


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"type": "string"},
        {"type": "object"},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
        {"type": "object", "properties": {"a": 5}},
        {"type": "object", "properties": {}, "required": "a"},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}},
        {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/schema"}}},
        {"type": "object", "properties": {"a": {"anyOf": [{"$ref": "other.json"}]}}},
    ],
)
def test_a_schema_that_cannot_be_used_is_one_clear_line(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{10,}$"):
        Schema(parameters)
