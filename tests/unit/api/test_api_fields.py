"""Decimal strings and durations: what they take, what they refuse, what they say."""

from typing import Annotated

import pytest
from pydantic import ValidationError

from fedround_api.fields import ClosedPart, Decimal, Duration, Part, seconds


class Sample(Part):
    """Fields as the kinds use them."""

    learning_rate: Annotated[str, Decimal(0, 10, above=True)] = "0.05"
    drop: Annotated[str, Decimal(0, 1)] = "0"
    wait: Duration = "30m"
    note: str | None = None


@pytest.mark.parametrize("text", ["0.05", "10", "10.000", "0.000000001"])
def test_a_decimal_is_kept_as_it_was_written(text: str) -> None:
    assert Sample(learning_rate=text).learning_rate == text


@pytest.mark.parametrize(
    "text",
    ["", "0", "0.0", "10.000000001", "-1", "+1", "1e-3", ".5", "5.", " 1", "1 ", "1\n", "NaN", "inf", "0,5", "١"],
)
def test_what_is_no_decimal_or_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Sample(learning_rate=text)


def test_a_lower_bound_that_is_not_excluded_may_be_reached() -> None:
    assert Sample(drop="0").drop == "0"
    assert Sample(drop="1").drop == "1"


def test_a_decimal_out_of_bounds_is_refused_with_the_bounds() -> None:
    with pytest.raises(ValidationError, match="must be a decimal number above 0 and at most 10"):
        Sample(learning_rate="11")


@pytest.mark.parametrize(("text", "length"), [("90s", 90), ("30m", 1_800), ("8h", 28_800), ("720h", 2_592_000)])
def test_a_duration_in_seconds(text: str, length: int) -> None:
    assert Sample(wait=text).wait == text
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "0s", "05m", "8", "h", "8d", "1.5h", "-1h", "1h30m", "721h", "8h ", "²h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Sample(wait=text)


@pytest.mark.parametrize("text", ["", "h", "8", "8d", "²h", "x5h"])
def test_seconds_of_no_duration_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="must be a whole number with s, m or h"):
        seconds(text)


def test_a_duration_above_the_limit_is_refused_with_the_limit() -> None:
    with pytest.raises(ValueError, match="must be at most 720h"):
        seconds("43201m")


def test_a_part_is_dumped_under_its_wire_names_without_what_is_not_set() -> None:
    assert Sample(learning_rate="1").dump() == {"learningRate": "1", "drop": "0", "wait": "30m"}


def test_a_part_passes_over_an_unknown_field_and_a_closed_one_names_it() -> None:
    class Closed(ClosedPart):
        known: int = 1

    assert Sample.model_validate({"unknown": 1}) == Sample()
    with pytest.raises(ValidationError, match="unknown"):
        Closed.model_validate({"unknown": 1})
