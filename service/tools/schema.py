"""What arguments a tool takes: JSON Schema (draft 2020-12), checked by the `jsonschema` library.

All of the draft is understood, but: the whole is an object with `properties`, `$ref` reaches only into
the schema itself, and `format` is a note for models, not a check.
"""

from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012
from typing_extensions import TypeIs

from service.tools.terms import ARGUMENTS_BYTES_MAX, DETAIL_LETTERS_MAX, ToolArguments

# Rules that are told with what they want, which is the schema's own. The others are told by name:
# the library's sentences quote the argument, and that is what the caller said.
_TELLING = ("const", "enum", "maximum", "maxItems", "maxLength", "minimum", "minItems", "minLength",
            "multipleOf", "pattern", "type")  # fmt: skip

_NOWHERE: Registry[Any] = Registry()  # no address is ever asked for a schema


class Schema:
    """The parameters of one tool. Raises ValueError, one line, when they are no usable schema."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        if parameters.get("type") != "object" or not isinstance(parameters.get("properties"), dict):
            raise ValueError('expected a schema with "type": "object" and "properties"')
        try:
            Draft202012Validator.check_schema(parameters)
            _check_references(parameters)
        except SchemaError as error:
            raise ValueError(" ".join(error.message.split())[:DETAIL_LETTERS_MAX]) from None
        self.parameters = parameters
        self.properties = frozenset(parameters["properties"])
        self.required = frozenset(parameters.get("required", ()))
        self._validator = Draft202012Validator(parameters, registry=_NOWHERE)

    def check(self, arguments: object) -> None:
        """Raise ToolArguments with one sentence when the arguments do not fit."""
        if not _is_plain(arguments):
            raise ToolArguments("The arguments are no JSON object.")
        if len(msgspec.json.encode(arguments)) > ARGUMENTS_BYTES_MAX:
            raise ToolArguments(f"The arguments are longer than {ARGUMENTS_BYTES_MAX} bytes.")
        try:
            worst = best_match(self._validator.iter_errors(arguments))
        except (RecursionError, Unresolvable):
            raise ToolArguments("The arguments can't be checked against the schema.") from None
        if worst is not None:
            raise ToolArguments(self._sentence(worst))

    def _sentence(self, error: ValidationError) -> str:
        rule = str(error.validator)
        instance: Any = error.instance
        wanted: Any = error.validator_value
        first = next(iter(error.absolute_path), None)
        place = f"The argument {first}" if first in self.properties else "The arguments"
        if rule == "required":
            lacking = next(name for name in wanted if name not in instance)
            return f"{place} must hold {lacking}."
        if rule == "additionalProperties" and first is None:
            return f"There are no arguments but {', '.join(sorted(self.properties)) or 'none'}."
        if rule in _TELLING:
            rule += f" {msgspec.json.encode(wanted).decode()[:DETAIL_LETTERS_MAX]}"
        return f"{place} must keep to the rule {rule}."


def _is_plain(arguments: object) -> TypeIs[dict[str, Any]]:
    """Whether JSON can hold them as they are: `encode` alone would turn other things into something."""
    try:
        copied = msgspec.json.decode(msgspec.json.encode(arguments))
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(arguments, dict) and bool(copied == arguments)


def _check_references(schema: dict[str, Any]) -> None:
    """Find at the start, not in a call, a reference that leads out of the schema or nowhere."""
    whole = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = _NOWHERE.with_resource("", whole).resolver()
    parts: list[Any] = [schema]
    while parts:
        part = parts.pop()
        parts.extend(part.values() if isinstance(part, dict) else part)
        parts = [inner for inner in parts if isinstance(inner, dict | list)]
        reference = part.get("$ref") if isinstance(part, dict) else None
        if isinstance(reference, str):
            try:
                resolver.lookup(reference)
            except Unresolvable:
                raise ValueError(f"the reference {reference} leads nowhere") from None
