"""A small valid instance of a JSON Schema, for the fake provider."""

import math
from collections.abc import Mapping
from typing import Any

_FORMATS = {
    "date": "2020-01-01",
    "date-time": "2020-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.org",
    "uri": "https://example.org",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEPTH = 20


def instance(schema: Mapping[str, Any], text: str) -> Any:
    """Return the smallest instance, with required properties and items only.

    Args:
        schema: A schema as Pydantic writes it, with `$ref` into `$defs`, `anyOf`, `enum`, `const`
            and bounds.
        text: The value of strings without a format.

    Raises:
        ValueError: the schema requires a value that contains itself.
    """
    return _instance(schema, schema, text, 0)


def _instance(schema: Mapping[str, Any], root: Mapping[str, Any], text: str, depth: int) -> Any:
    if depth > _DEPTH:
        raise ValueError("the JSON schema asks for an instance that never ends")
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    for name in ("enum", "examples"):
        if schema.get(name):
            return schema[name][0]
    if target := _target(schema, root):
        return _instance(target, root, text, depth + 1)
    match _type(schema):
        case "object":
            properties = schema.get("properties", {})
            return {
                name: _instance(properties.get(name, {}), root, text, depth + 1)
                for name in schema.get("required", ())
            }
        case "array":
            return [_instance(item, root, text, depth + 1) for item in _items(schema)]
    return _plain(schema, text)


def _target(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the schema behind a reference or a choice; None for a plain schema."""
    if ref := schema.get("$ref"):
        found: Any = root
        for part in filter(None, ref.removeprefix("#").split("/")):
            found = found[part]
        return dict(found)
    for name in ("anyOf", "oneOf"):
        if choices := schema.get(name):
            # If null is allowed, it is the smallest instance.
            return dict(next((one for one in choices if one.get("type") == "null"), choices[0]))
    if parts := schema.get("allOf"):
        merged: dict[str, Any] = {}
        for part in parts:
            merged |= _target(part, root) or part
        return merged
    return None


def _items(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    first = list(schema.get("prefixItems", ()))
    missing = max(0, schema.get("minItems", 0) - len(first))
    return first + [schema.get("items", {})] * missing


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return str(kind[0] if isinstance(kind, list) else kind)


def _plain(schema: Mapping[str, Any], text: str) -> Any:
    match _type(schema):
        case "integer":
            return math.ceil(_number(schema))
        case "number":
            return _number(schema)
        case "boolean":
            return False
        case "null":
            return None
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    longest = schema.get("maxLength", len(text))
    return text[:longest].ljust(schema.get("minLength", 0), ".")


def _number(schema: Mapping[str, Any]) -> float:
    """Return 0 if the bounds allow it, otherwise a number that they allow."""
    low, high = schema.get("minimum"), schema.get("maximum")
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if _fits(0, schema):
        return 0
    if over is not None:
        top = next((bound for bound in (under, high) if bound is not None), over + 2)
        return float(over + min(1, (top - over) / 2))
    return float(next((bound for bound in (low, high) if bound is not None), (under or 0) - 1))


def _fits(number: float, schema: Mapping[str, Any]) -> bool:
    low, high = schema.get("minimum", number), schema.get("maximum", number)
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    outside = (over is not None and number <= over) or (under is not None and number >= under)
    return bool(low <= number <= high) and not outside
