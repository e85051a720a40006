"""A test set is what its digest says, to the last byte, or an error that names what differs."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fedround_api.dataproblems import QuarantineCause
from fedround_training.data import errors
from fedround_training.data.cases import Case
from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.errors import SplitImpossible
from fedround_training.data.images import load_images, without_metadata
from fedround_training.data.testset import Contribution, Part, read_test_set, write_test_set
from unit.training.data.lesions import make_folder

TABLE = "image_id,dx,patient_id\nA,nv,Jane\nB,nv,Jane\nC,mel,Joan\nD,bcc,Jim\n"
CLASSES = ("mel", "bcc", "nv")


def make_cases(folder: Path) -> dict[str, Case]:
    cases = read_catalogue(make_folder(folder, TABLE, [f"{name}.png" for name in "ABCD"])).cases
    return {case.image_id: case for case in cases}


def contribute(cases: dict[str, Case], north_gate: str, south_calibration: str) -> list[Contribution]:
    return [
        Contribution("north", Part.GATE, [cases[name] for name in north_gate]),
        Contribution("south", Part.CALIBRATION, [cases[name] for name in south_calibration]),
    ]


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, str]:
    cases = make_cases(tmp_path / "data")
    folder = tmp_path / "test-set"
    return folder, write_test_set(folder, contribute(cases, "ABC", "D"), CLASSES, without_metadata).digest


def test_a_test_set_is_read_as_it_was_written(written: tuple[Path, str]) -> None:
    folder, digest = written
    read = read_test_set(folder, digest)
    assert read.classes == CLASSES
    assert read.digest == digest == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert [(c.image_id, c.label, c.group, c.clinic) for c in read.part(Part.GATE)] == [
        ("A", "nv", "000001", "north"),
        ("B", "nv", "000001", "north"),
        ("C", "mel", "000002", "north"),
    ]
    assert [(c.image_id, c.label, c.group, c.clinic) for c in read.part(Part.CALIBRATION)] == [
        ("D", "bcc", "000003", "south")
    ]
    assert load_images(read.cases, 8).pixels.shape == (4, 8, 8, 3)


def test_the_same_contributions_give_the_same_digest(tmp_path: Path, written: tuple[Path, str]) -> None:
    cases = make_cases(tmp_path / "data")
    again = contribute(cases, "CBA", "D")[::-1]
    for folder in (tmp_path / "again", written[0]):
        assert write_test_set(folder, again, CLASSES, without_metadata).digest == written[1]


def test_no_patient_of_a_clinic_is_named(written: tuple[Path, str]) -> None:
    for path in written[0].rglob("*"):
        if path.is_file():
            assert not any(name in path.read_bytes() for name in (b"Jane", b"Joan", b"Jim"))


def test_a_damaged_image_is_left_out_and_named(tmp_path: Path) -> None:
    cases = make_cases(tmp_path / "data")
    cases["C"].path.write_bytes(b"")
    made = write_test_set(tmp_path / "out", contribute(cases, "ABC", "D"), CLASSES, without_metadata)
    assert [(error.image_id, error.cause) for error in made.quarantined] == [("C", QuarantineCause.EMPTY)]
    assert [case.image_id for case in read_test_set(tmp_path / "out", made.digest).cases] == ["A", "B", "D"]


def flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "images/B.png").read_bytes())
    content[-1] ^= 1
    (folder / "images/B.png").write_bytes(content)


def relabel(folder: Path) -> None:
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(manifest.replace('"label":"mel"', '"label":"nv"'))


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (flip_a_byte, r"1 with other content \(images/B\.png\)"),
    "an image less": (lambda folder: (folder / "images/A.png").unlink(), r"1 missing \(images/A\.png\)"),
    "an image more": (
        lambda folder: (folder / "images/E.png").write_bytes(b""),
        r"1 not in the manifest \(images/E\.png\)",
    ),
    "the table": (lambda folder: (folder / "cases.csv").write_text(""), r"1 with other content \(cases\.csv\)"),
    "a label": (relabel, "manifest.json has digest [0-9a-f]{64}, expected [0-9a-f]{64}"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json is missing"),
}


@pytest.mark.parametrize(("change", "difference"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_named(written: tuple[Path, str], change: Callable[[Path], object], difference: str) -> None:
    folder, digest = written
    change(folder)
    with pytest.raises(errors.TestSetChanged, match=difference):
        read_test_set(folder, digest)


def sign(folder: Path, **changes: object) -> str:
    """A manifest with other content and the digest that fits it, as from a careless tool."""
    manifest = json.loads((folder / "manifest.json").read_bytes()) | changes
    content = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"images": []},
        {"images": {"A": {}}},
        {
            "images": {
                "A": {"file": "../A.png", "label": "nv", "group": "1", "clinic": "n", "part": "gate", "sha256": ""}
            }
        },
        {"images": {"A": {"file": "A.png", "label": "nv", "group": "1", "clinic": "n", "part": "audit", "sha256": ""}}},
        {"classes": None},
    ],
)
def test_a_manifest_of_another_form_is_refused(written: tuple[Path, str], changes: dict[str, object]) -> None:
    with pytest.raises(errors.TestSetChanged, match="no manifest of this format"):
        read_test_set(written[0], sign(written[0], **changes))


def test_a_patient_in_both_parts_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    cases = make_cases(tmp_path / "data")
    with pytest.raises(SplitImpossible, match="1 patients of the test set are in both parts"):
        write_test_set(tmp_path / "out", contribute(cases, "AC", "BD"), CLASSES, without_metadata)
    assert not (tmp_path / "out").exists()


def test_a_manifest_with_a_patient_in_both_parts_is_refused(written: tuple[Path, str]) -> None:
    images = json.loads((written[0] / "manifest.json").read_bytes())["images"]
    images["B"]["part"] = "calibration"
    with pytest.raises(errors.TestSetChanged, match="the test set has changed: 1 patients are in both parts"):
        read_test_set(written[0], sign(written[0], images=images))


def test_an_image_given_twice_or_of_an_unknown_class_is_refused(tmp_path: Path) -> None:
    cases = make_cases(tmp_path / "data")
    with pytest.raises(SplitImpossible, match="'C' is in the test set twice"):
        write_test_set(tmp_path / "out", contribute(cases, "AC", "C"), CLASSES, without_metadata)
    with pytest.raises(SplitImpossible, match="classes mel, nv lack bcc"):
        write_test_set(tmp_path / "out", contribute(cases, "AC", "D"), ("mel", "nv"), without_metadata)
    assert not (tmp_path / "out").exists()
