"""The policy file."""

import logging
import os
from pathlib import Path

import pytest

from fedround_api.policyfile import PolicyInvalid
from fedround_operator.agent.__main__ import main
from fedround_operator.agent.policy import PolicyFile, load_policy

GOOD = """\
apiVersion: fedround.dev/v1alpha1
kind: ClinicPolicy
spec:
  caseVolume: 1200
  privacy: {allowNone: true}
"""


def write(path: Path, text: str, at_seconds: int) -> None:
    """Write the file with a time of change of its own, as any later write has."""
    path.write_text(text)
    os.utime(path, (at_seconds, at_seconds))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, GOOD, 1)
    policy = PolicyFile(path)
    first = policy.current()

    write(path, GOOD.replace("1200", "1300"), 2)
    second = policy.current()

    assert first is not None
    assert second is not None
    assert (first.spec.case_volume, second.spec.case_volume) == (1200, 1300)


@pytest.mark.parametrize("text", ["", "kind: [", GOOD.replace("caseVolume: 1200", "caseVolume: 0"), "\x00"])
def test_a_file_that_goes_wrong_counts_as_no_policy_until_it_is_mended(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "policy.yaml"
    write(path, GOOD, 1)
    policy = PolicyFile(path)
    policy.current()

    write(path, text, 2)
    assert [policy.current() for _ in range(3)] == [None, None, None]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]

    write(path, GOOD, 3)
    assert policy.current() is not None


def test_a_file_that_is_gone_counts_as_no_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, GOOD, 1)
    policy = PolicyFile(path)
    policy.current()

    path.unlink()

    assert policy.current() is None


def test_a_wrong_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD.replace("caseVolume: 1200", "caseVolume: many"))

    with pytest.raises(PolicyInvalid, match=r"spec\.caseVolume"):
        load_policy(path)


def test_the_agent_does_not_start_with_a_wrong_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD.replace("allowNone", "alowNone"))
    arguments = ["--clinic=north", "--hub-kubeconfig=hub.conf", "--kubeconfig=local.conf", "--namespace=north"]

    code = main([*arguments, f"--policy={path}", "--image=image"])

    assert code == 78
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "alowNone" in message
