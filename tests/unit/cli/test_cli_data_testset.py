"""`fedround data testset`: a folder that the hub's validation takes, and what it says of it."""

import hashlib
import json
from pathlib import Path

import pytest

from fedround_cli.main import main
from fedround_training.data.dermoscopy import write_synthetic_folder
from fedround_training.data.testset import Part, read_test_set
from support.job_inputs import lesions


def test_a_test_set_is_written_and_named_by_its_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesions(tmp_path / "images", 20)
    made = tmp_path / "my set"

    assert main(["data", "testset", str(tmp_path / "images"), "--output", str(made)]) == 0

    digest = hashlib.sha256((made / "manifest.json").read_bytes()).hexdigest()
    said = capsys.readouterr().out
    assert said.splitlines() == [
        f"wrote {made}",
        "  calibration  8 cases, of which 4 high-risk",
        "  gate         12 cases, of which 6 high-risk",
        "  clinics      unspecified 20",
        "  classes      mel*, nv",
        "next, copy it to the hub's object store with any S3 client, such as",
        f"  mc mirror '{made}' STORE/BUCKET/test-sets/NAME",
        "and name it in the FederatedModel:",
        "  testSet:",
        "    prefix: test-sets/NAME",
        f"    manifestSha256: {digest}",
    ]
    assert len(read_test_set(made, digest).part(Part.GATE)) == 12


def test_images_know_their_clinic_by_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_synthetic_folder(tmp_path / "images", 120, 3)
    options = ["data", "testset", str(tmp_path / "images"), "--split-by", "clinic", "--json"]

    assert main([*options, "--output", str(tmp_path / "one")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main([*options, "--output", str(tmp_path / "two"), "--seed", "1"]) == 0
    other = json.loads(capsys.readouterr().out)

    assert set(told["clinics"]) == {"urban", "northern", "childrens"}
    assert sum(told["clinics"].values()) == sum(part["cases"] for part in told["parts"].values()) == 120
    assert set(told["highRiskClasses"]) < set(told["classes"])
    assert told["manifestSha256"] != other["manifestSha256"]
    assert main([*options, "--output", str(tmp_path / "again")]) == 0
    assert json.loads(capsys.readouterr().out)["manifestSha256"] == told["manifestSha256"]


def test_what_cannot_be_used_is_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesions(tmp_path / "images", 20)
    (tmp_path / "images/L003.png").write_bytes(b"no image")
    (tmp_path / "images/L004.png").unlink()

    assert main(["data", "testset", str(tmp_path / "images"), "--output", str(tmp_path / "made"), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert sum(part["cases"] for part in told["parts"].values()) == 18
    assert "image 'L003' cannot be used: not a JPEG or PNG" in told["leftOut"]
    assert len(told["leftOut"]) == 2


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesions(tmp_path / "images", 20)

    assert main(["data", "testset", str(tmp_path / "images"), "--output", str(tmp_path / "images")]) == 1

    assert "is there and not empty, and nothing is overwritten: name a new folder" in capsys.readouterr().err
    assert not (tmp_path / "images/manifest.json").exists()


def test_a_folder_with_which_no_candidate_could_be_judged_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lesions(tmp_path / "few", 2)

    assert main(["data", "testset", str(tmp_path / "few"), "--output", str(tmp_path / "made")]) == 1

    said = capsys.readouterr().err
    assert "the calibration part would have 0 high-risk cases and 1 others, and needs both: give images of more" in said
    assert not (tmp_path / "made").exists()
