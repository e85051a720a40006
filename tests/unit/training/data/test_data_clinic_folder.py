"""A clinic's folder gives back the cases that were put into it."""

from dataclasses import replace
from pathlib import Path

from fedround_training.data.cases import Case
from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.clinic_folder import write_clinic_folder
from unit.training.data.lesions import make_folder

TABLE = (
    "isic_id,diagnosis,benign_malignant,patient_id,lesion_id,capture_date,added,camera\n"
    "A,nevus,benign,P1,L1,2026-03-01,2026-04-01T10:00:00Z,NIKON E995\n"
    'B,melanoma,malignant,,L2,,,"SONY, W7"\n'
    "C,actinic keratosis,,,,,,\n"
)


def without_source(case: Case) -> Case:
    return replace(case, path=Path(), attributes={"camera": case.attributes["camera"]})


def test_a_written_folder_reads_back_as_the_same_cases(tmp_path: Path) -> None:
    source = read_catalogue(make_folder(tmp_path / "data", TABLE, ["x/A.JPG", "B.jpeg", "C.png"]))
    write_clinic_folder(tmp_path / "north", source.cases)
    clinic = read_catalogue(tmp_path / "north")
    assert [without_source(case) for case in clinic.cases] == [without_source(case) for case in source.cases]
    assert [case.path.read_bytes() for case in clinic.cases] == [case.path.read_bytes() for case in source.cases]
    assert clinic.cases[1].attributes["benign_malignant"] == "malignant"


def test_a_written_folder_can_be_written_again(tmp_path: Path) -> None:
    source = read_catalogue(make_folder(tmp_path / "data", TABLE, ["A.jpg", "B.jpg", "C.jpg"]))
    table = write_clinic_folder(tmp_path / "north", source.cases)
    before = table.read_bytes()
    clinic = read_catalogue(tmp_path / "north").cases
    assert write_clinic_folder(tmp_path / "south", clinic).read_bytes().splitlines()[1:] == before.splitlines()[1:]
    assert write_clinic_folder(tmp_path / "north", source.cases).read_bytes() == before


def test_a_table_of_benign_and_malignant_keeps_its_two_classes(tmp_path: Path) -> None:
    table = "isic_id,target,patient_id\nA,0,P1\nB,1,P2\n"
    source = read_catalogue(make_folder(tmp_path / "data", table, ["A.jpg", "B.jpg"]))
    write_clinic_folder(tmp_path / "north", [replace(case, attributes={}) for case in source.cases])
    assert read_catalogue(tmp_path / "north").labels == {"benign": 1, "malignant": 1}
