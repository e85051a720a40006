"""Building blocks of the schemas: the base class, decimal strings, durations, names and digests.

Every type here carries its rule twice, once for pydantic and once for the API server (OpenAPI bounds or CEL), so that
both refuse the same values. There are no floats in a spec (Kubernetes API conventions): decimals are strings.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

DIGEST_PATTERN = "^[0-9a-f]{64}$"
NAME_PATTERN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
# The server checks these two within the CEL rule, not as a pattern: it then answers with a sentence that says how to
# write the value, instead of a regular expression and the error of a conversion.
DECIMAL_PATTERN = "^[0-9]{1,9}([.][0-9]{1,9})?$"
DURATION_PATTERN = "^[1-9][0-9]{0,6}[smh]$"


class Part(BaseModel):
    """A frozen piece of an object: snake_case in Python, camelCase on the wire."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def dump(self) -> dict[str, Any]:
        """The piece as JSON data under its wire names, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def text(self) -> str:
        """The same as JSON text."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


class ClosedPart(Part):
    """A piece in which an unknown field is an error: files that people write and Job inputs, which no server prunes."""

    model_config = ConfigDict(extra="forbid")


def cel(rule: str, message: str, **more: str) -> dict[str, str]:
    """One CEL rule (x-kubernetes-validations)."""
    return {"rule": rule, "message": message, **more}


def rules(*validations: dict[str, str]) -> dict[str, Any]:
    """The schema extension that carries CEL rules."""
    return {"x-kubernetes-validations": list(validations)}


def list_map(*keys: str) -> dict[str, Any]:
    """The schema extension of a list whose items are told apart by keys."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


LIST_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}


@dataclass(frozen=True)
class Decimal:
    """Marks a string as a decimal number in [minimum, maximum], or in (minimum, maximum] with ``above``."""

    minimum: float
    maximum: float
    above: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.str_schema(max_length=19)
        return core_schema.no_info_after_validator_function(self._check, text)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        operator = ">" if self.above else ">="
        bounds = f"double(self) {operator} {float(self.minimum)} && double(self) <= {float(self.maximum)}"
        rule = f"self.matches('{DECIMAL_PATTERN}') && {bounds}"
        return {**handler(schema), **rules(cel(rule, self._sentence))}

    @property
    def _sentence(self) -> str:
        lower = "above" if self.above else "of at least"
        bounds = f"{lower} {self.minimum:g} and at most {self.maximum:g}"
        return f"must be a decimal number {bounds}, as text with at most nine digits after the point, such as '0.05'"

    def _check(self, value: str) -> str:
        if not re.fullmatch(DECIMAL_PATTERN, value):
            raise ValueError(self._sentence)
        number = float(value)
        if number > self.maximum or number < self.minimum or (self.above and number == self.minimum):
            raise ValueError(self._sentence)
        return value


_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
LONGEST_DURATION_SECONDS = 720 * 3600
_DURATION_SENTENCE = "must be a whole number with s, m or h, such as 90s, 30m or 8h, and at most 720h"


def seconds(duration: str) -> int:
    """A duration such as ``30m`` in seconds.

    Raises:
        ValueError: the text is no duration, or longer than 720h.
    """
    if not re.fullmatch(DURATION_PATTERN, duration):
        raise ValueError(_DURATION_SENTENCE)
    value = int(duration[:-1]) * _UNIT_SECONDS[duration[-1]]
    if value > LONGEST_DURATION_SECONDS:
        raise ValueError("must be at most 720h")
    return value


def _checked_duration(duration: str) -> str:
    seconds(duration)
    return duration


Duration = Annotated[
    str,
    Field(
        max_length=8,
        json_schema_extra=rules(
            cel(f"self.matches('{DURATION_PATTERN}') && duration(self) <= duration('720h')", _DURATION_SENTENCE)
        ),
    ),
    AfterValidator(_checked_duration),
]
Digest = Annotated[str, Field(pattern=DIGEST_PATTERN, max_length=64, description="sha256, lower-case hex")]
Name = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=63)]
ClinicName = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=30)]
Fraction = Annotated[str, Decimal(0, 1)]
ClassName = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$", min_length=1, max_length=32)]
Measure = Annotated[str, Field(max_length=24, description="a measured number as a decimal string")]
Instant = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]
