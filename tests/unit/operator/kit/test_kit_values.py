"""Pure pieces of objects: merge patches, conditions, instants, request paths, errors of the contract."""

import copy
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedround_api.kinds import Clinic, Condition, FederatedRound
from fedround_api.reasons import Reason
from fedround_operator.kit.conditions import with_condition
from fedround_operator.kit.errors import ObjectUnreadable
from fedround_operator.kit.instants import micro_text_of, parse, text_of
from fedround_operator.kit.patches import merge_patch
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import JOBS, PODS, ROUNDS, query, selector

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
ONE_O_CLOCK = datetime(2026, 11, 24, 13, 0, 0, tzinfo=UTC)

# Status values have no null: what is not set is left out.
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.text(max_size=2), st.integers(2, 4), st.sampled_from([True, False])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.sampled_from("abcd"), _VALUES, max_size=4)


def rfc_7386(target: Any, patch: Any) -> Any:
    """MergePatch(Target, Patch), word for word from section 2 of the RFC."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = rfc_7386(result.get(name), value)
    return result


@settings(deadline=None)
@given(_OBJECTS, _OBJECTS)
def test_a_patch_turns_the_one_state_into_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = copy.deepcopy((before, after))

    assert rfc_7386(before, merge_patch(before, after)) == after
    assert (before, after) == kept


@settings(deadline=None)
@given(_OBJECTS)
def test_a_patch_of_a_state_with_itself_is_empty(state: dict[str, Any]) -> None:
    assert merge_patch(state, copy.deepcopy(state)) == {}


def test_a_patch_names_what_changes_and_nothing_else() -> None:
    before = {"phase": "Training", "base": {"version": 3, "bytes": 7}, "suspendedAt": "noon", "attempts": {"a": 1}}
    after = {"phase": "Training", "base": {"version": 4, "bytes": 7}, "attempts": {"a": 1}, "new": []}

    assert merge_patch(before, after) == {"suspendedAt": None, "base": {"version": 4}, "new": []}


def _set(
    conditions: list[Condition], value: Literal["True", "False", "Unknown"], reason: Reason, now: datetime
) -> list[Condition]:
    return with_condition(conditions, "Succeeded", value, reason, "m", generation=2, now=now)


def test_a_condition_keeps_its_transition_time_while_its_status_stays() -> None:
    first = _set([], "Unknown", Reason.TRAINING, NOON)

    (second,) = _set(first, "Unknown", Reason.AGGREGATING, ONE_O_CLOCK)

    assert (second.reason, second.last_transition_time) == ("Aggregating", "2026-11-24T12:00:00Z")
    assert second.observed_generation == 2


def test_a_condition_whose_status_changes_has_a_new_transition_time() -> None:
    first = _set([], "Unknown", Reason.TRAINING, NOON)

    (second,) = _set(first, "True", Reason.COMPLETED, ONE_O_CLOCK)

    assert second.last_transition_time == "2026-11-24T13:00:00Z"


def test_other_conditions_and_their_order_are_kept() -> None:
    three: list[Condition] = []
    for type_ in ("Accepted", "Succeeded", "Started"):
        three = with_condition(three, type_, "True", Reason.STARTED, "m", generation=1, now=NOON)

    changed = _set(three, "False", Reason.CANCELLED, ONE_O_CLOCK)

    assert [condition.type for condition in changed] == ["Accepted", "Succeeded", "Started"]
    assert [changed[0], changed[2]] == [three[0], three[2]]


def test_a_message_is_cut_to_what_the_schema_takes() -> None:
    (made,) = with_condition([], "Succeeded", "True", Reason.STARTED, "m" * 2000, generation=1, now=NOON)

    assert len(made.message) == 1024
    assert Condition.model_validate(made.dump()) == made


@pytest.mark.parametrize(
    "text",
    ["2026-11-24T12:00:00Z", "2026-11-24T12:00:00.000000Z", "2026-11-24T13:00:00+01:00", "2026-11-24T12:00:00+00:00"],
)
def test_an_instant_is_read_in_any_offset(text: str) -> None:
    assert parse(text) == NOON


def test_an_instant_is_written_in_utc() -> None:
    late = parse("2026-11-24T13:00:00.25+01:00")

    assert text_of(late) == "2026-11-24T12:00:00Z"
    assert micro_text_of(late) == "2026-11-24T12:00:00.250000Z"


def test_request_paths() -> None:
    assert JOBS.path("skin-network", "a") == "/apis/batch/v1/namespaces/skin-network/jobs/a"
    assert PODS.path("skin-network") == "/api/v1/namespaces/skin-network/pods"
    assert ROUNDS.path() == "/apis/fedround.dev/v1alpha1/federatedrounds"
    assert ROUNDS.path("n", "w48", "status") == "/apis/fedround.dev/v1alpha1/namespaces/n/federatedrounds/w48/status"


def test_a_name_cannot_leave_its_place_in_a_path() -> None:
    assert JOBS.path("a/../b", "c?d") == "/apis/batch/v1/namespaces/a%2F..%2Fb/jobs/c%3Fd"


def test_a_query_holds_what_is_set() -> None:
    assert query(limit=500, labelSelector="a=b,c=d", fieldSelector="") == "?limit=500&labelSelector=a%3Db%2Cc%3Dd"
    assert query(limit=None) == ""
    assert selector({"b": "2", "a": "1"}) == "a=1,b=2"


def test_an_object_that_is_not_understood_is_named_with_its_field() -> None:
    with pytest.raises(ObjectUnreadable, match=r"FederatedRound w48: \('spec', 'clinics'\)"):
        read_kind(FederatedRound, {"metadata": {"name": "w48"}, "spec": {"modelRef": {"name": "skin"}}})


def test_an_object_with_fields_of_a_later_version_is_understood() -> None:
    found = {"metadata": {"name": "north"}, "spec": {"suspended": True, "region": "ontario"}}

    assert read_kind(Clinic, found).spec.suspended is True
