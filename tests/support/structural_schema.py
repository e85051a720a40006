"""A checker of values against structural schemas, as far as fedround's kinds use them: bounds, and CEL by its text."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from fedround_api.fields import DECIMAL_PATTERN, DURATION_PATTERN
from fedround_api.kinds.federated_round import LABEL_NAME_PATTERN

Schema = dict[str, Any]

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "enum": lambda value, bound: value in bound,
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "multipleOf": lambda value, bound: value % bound == 0,
    "minLength": lambda value, bound: len(value) >= bound,
    "maxLength": lambda value, bound: len(value) <= bound,
    "minItems": lambda value, bound: len(value) >= bound,
    "maxItems": lambda value, bound: len(value) <= bound,
    "maxProperties": lambda value, bound: len(value) <= bound,
    "pattern": lambda value, bound: re.search(bound.replace("$", r"\Z"), value) is not None,
}
_UNITS = {"s": 1, "m": 60, "h": 3600}
_CEL: dict[str, Callable[[Any], bool]] = {
    f"self.matches('{DURATION_PATTERN}') && duration(self) <= duration('720h')": lambda self: (
        re.fullmatch(DURATION_PATTERN, self) is not None and int(self[:-1]) * _UNITS[self[-1]] <= 720 * 3600
    ),
    f"!has(self.matchLabels) || self.matchLabels.all(name, name.matches('{LABEL_NAME_PATTERN}'))": lambda self: all(
        re.fullmatch(LABEL_NAME_PATTERN, name) for name in self.get("matchLabels", {})
    ),
    "self.highRiskClasses.all(c, c in self.classes)": lambda self: set(self["highRiskClasses"]) <= set(self["classes"]),
    "has(self.proximalMu) == (has(self.algorithm) && self.algorithm == 'FedProx')": lambda self: (
        ("proximalMu" in self) == (self.get("algorithm") == "FedProx")
    ),
    "has(self.claimName) != has(self.prefix)": lambda self: ("claimName" in self) != ("prefix" in self),
    "size(self.highRiskClasses) < size(self.classes)": lambda self: len(self["highRiskClasses"]) < len(self["classes"]),
}
_DECIMAL = re.compile(
    re.escape(f"self.matches('{DECIMAL_PATTERN}') && ") + r"double\(self\) (>=?) ([\d.]+) && double\(self\) <= ([\d.]+)"
)


def problems(schema: Schema, value: Any, path: str = "") -> Iterator[str]:
    """What is wrong with the value, one line for each problem; nothing when an API server would take it."""
    if not _TYPES[schema["type"]](value):
        yield f"{path}: not of type {schema['type']}"
        return
    sound = True
    for line in chain(_wrong_bounds(schema, value), _wrong_children(schema, value)):
        sound = False
        yield f"{path}{line}"
    if sound:
        yield from (f"{path}: {line}" for line in _broken_rules(schema, value))


def _wrong_bounds(schema: Schema, value: Any) -> Iterator[str]:
    for name, bound in schema.items():
        if name in _BOUNDS and not _BOUNDS[name](value, bound):
            yield f": breaks {name} {bound}"


def _wrong_children(schema: Schema, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f".{name}: is required"
        children = schema.get("properties", {})
        for name, part in value.items():
            child = children.get(name, schema.get("additionalProperties"))
            if child is not None:
                yield from problems(child, part, f".{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from problems(schema["items"], item, f"[{number}]")
        keys = schema.get("x-kubernetes-list-map-keys", [])
        items = [item if isinstance(item, dict) else {} for item in value]
        told_apart = [str([item.get(key) for key in keys]) for item in items] if keys else list(map(str, value))
        if "x-kubernetes-list-type" in schema and len(set(told_apart)) < len(told_apart):
            yield ": has two items alike"


def _broken_rules(schema: Schema, value: Any) -> Iterator[str]:
    """Rules about changes (oldSelf) say nothing of a value alone. A rule of an unknown text is an error of the test."""
    for validation in schema.get("x-kubernetes-validations", []):
        rule = validation["rule"]
        if "oldSelf" in rule:
            continue
        decimal = _DECIMAL.fullmatch(rule)
        if decimal:
            above, low, high = decimal.groups()
            number = float(value) if re.fullmatch(DECIMAL_PATTERN, value) else float("nan")
            holds = number <= float(high) and (number > float(low) if above == ">" else number >= float(low))
        else:
            holds = _CEL[rule](value)
        if not holds:
            yield validation["message"]
