"""What comes from outside as text: a Job's report, a clinic's policy file."""

import json
from typing import Any

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import Role, read_report
from fedround_api.policyfile import PolicyInvalid, read_policy
from support.builders import make_policy
from support.hub_builders import verdict

DIGEST = "ca4d" * 16


def test_a_report_is_read_with_the_fields_of_its_role() -> None:
    report = read_report(json.dumps({"role": "aggregate", "exitCode": 0, "digest": DIGEST, "bytes": 7}))

    assert report is not None
    assert (report.role, report.exit_code, report.digest, report.bytes) == (Role.AGGREGATE, ExitCode.OK, DIGEST, 7)


def test_a_report_of_the_longest_kind_fits_into_a_termination_message() -> None:
    text = json.dumps(
        {"role": "validate", "exitCode": 0, "message": "m" * 1024, "verdict": verdict(message="v" * 512, release=True)}
    )

    assert len(text.encode()) < 4096
    assert read_report(text) is not None


def test_a_report_of_4096_bytes_is_read_and_a_longer_one_is_not() -> None:
    text = json.dumps({"role": "fetch"})

    assert read_report(text.ljust(4096)) is not None
    assert read_report(text.ljust(4097)) is None


def test_the_limit_of_a_report_counts_bytes() -> None:
    text = json.dumps({"role": "fetch", "message": "ü" * 1000}, ensure_ascii=False)

    assert read_report(text.ljust(3096)) is not None
    assert read_report(text.ljust(3097)) is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        "",
        "Killed",
        "[]",
        "null",
        "{}",
        '{"role": "fetch"',
        '{"role": "mine"}',
        '{"role": "fetch", "exitCode": 1}',
        '{"role": "fetch", "loss": "0.3"}',
        '{"role": "fetch", "digest": "../../etc/passwd"}',
        '{"role": "fetch", "message": "' + "m" * 1025 + '"}',
        '{"role": "fetch", "bytes": "many"}',
        '{"role": "fetch", "bytes": -1}',
        '{"role": "train", "steps": 9007199254740993}',
        '{"role": "train", "cases": -1}',
        '{"role": "train", "quarantined": {"ann_smith.jpg": 1}}',
        '{"role": "train", "quarantined": {"empty": -1}}',
        '{"role": "aggregate", "clinic": "North Clinic, 3rd floor"}',
        "[" * 4000,
        '{"role": "validate", "verdict": {"result": "Promote"}}',
    ],
)
def test_what_is_no_report_is_none(message: str | None) -> None:
    assert read_report(message) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "SomethingNew"},
        {"candidate": {"sensitivity": "nan", "specificity": "0.8", "auroc": "0.9"}},
        {"candidate": {"sensitivity": "high", "specificity": "0.8", "auroc": "0.9"}},
        {"threshold": "inf"},
    ],
)
def test_a_verdict_that_the_operator_could_not_work_with_is_no_report(changes: dict[str, Any]) -> None:
    assert read_report(json.dumps({"role": "validate", "verdict": verdict(**changes)})) is None


def test_a_policy_is_read_and_forbids_by_default() -> None:
    policy = read_policy({"apiVersion": "fedround.dev/v1alpha1", "kind": "ClinicPolicy", "spec": {"caseVolume": 1200}})

    assert policy.spec.case_volume == 1200
    assert policy.spec.privacy.allow_none is False
    assert policy.spec.privacy.report_case_counts is False
    assert policy.spec.training.allow_unlocked is False


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"caseVolume": 0}, "spec.caseVolume"),
        ({"caseVolume": "many"}, "spec.caseVolume"),
        ({}, "spec.caseVolume"),
        ({"caseVolume": 1, "privacy": {"allowNone": "perhaps"}}, "spec.privacy.allowNone"),
        ({"caseVolume": 1, "privacy": {"allowNon": True}}, "spec.privacy.allowNon"),
        ({"caseVolume": 1, "epsilon": "8"}, "spec.epsilon"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_name_of_the_field(spec: dict[str, Any], named: str) -> None:
    with pytest.raises(PolicyInvalid, match=rf"^{named}: "):
        read_policy({**make_policy(), "spec": spec})


@pytest.mark.parametrize(("field", "value"), [("kind", "Policy"), ("apiVersion", "fedround.dev/v2")])
def test_a_policy_of_another_kind_or_version_is_refused(field: str, value: str) -> None:
    with pytest.raises(PolicyInvalid, match=rf"^{field}: "):
        read_policy({**make_policy(), field: value})


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_a_policy_file_without_a_mapping_is_refused(data: Any) -> None:
    with pytest.raises(PolicyInvalid, match=r"^policy: "):
        read_policy(data)


def test_a_policy_names_every_wrong_field() -> None:
    with pytest.raises(PolicyInvalid) as error:
        read_policy({"apiVersion": "fedround.dev/v1alpha1", "kind": "Policy", "spec": {"caseVolume": 0}})

    assert [line.split(":")[0] for line in str(error.value).split("; ")] == ["kind", "spec.caseVolume"]
