"""`fedround data check`: what a clinic's IT person reads before joining."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fedround_cli.main import main
from fedround_training.data.inspection import inspect, remarks
from support.bad_data import make_good_folder, photo, saved

NOW = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_good_folder(tmp_path / "clinic")


def table(folder: Path, *rows: str, header: str = "image_id,dx,patient_id") -> None:
    (folder / "metadata.csv").write_text("\n".join([header, *rows]) + "\n")


def test_a_good_folder_is_usable_and_its_facts_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(
        folder,
        "A,mel,P1,2026-03-01,62,II",
        "B,nv,P1,2026-03-02,,unknown",
        "C,nv,P2,,35,II",
        "D,bcc,,2026-03-01,35,V",
        header="image_id,dx,patient_id,visit_date,age_approx,fitzpatrick_skin_type",
    )
    assert main(["data", "check", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == [
        f"{folder}/metadata.csv",
        "  cases       4, of which 2 high-risk (*)",
        "  classes     mel* 1, bcc* 1, nv 2",
        "  together    3 by patient, 1 by image",
        "  dates       2026-03-01 to 2026-03-02",
        "  skin types  'II' 2, 'V' 1, 'unknown' 1",
        "  ages        35 to 62, 1 unknown",
    ]
    assert lines[-1] == "usable: a training can use 4 of 4 cases"


def test_what_is_set_aside_is_named_with_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "B.jpg").write_bytes(b"")
    assert main(["data", "check", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "set aside: 1 image\n  - empty (1): 'B'; copy it again from where it came from\n" in out
    assert out.endswith("usable: a training can use 3 of 4 cases\n")


def test_of_many_images_that_are_set_aside_the_first_five_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(folder, "A,mel,P0", *(f"X{n},nv,P{n}" for n in range(1, 8)))
    for number in range(1, 8):
        (folder / f"X{number}.jpg").write_bytes(b"")
    assert main(["data", "check", str(folder)]) == 0
    assert "empty (7): 'X1', 'X2', 'X3', 'X4', 'X5' and 2 more;" in " ".join(capsys.readouterr().out.split())


def test_a_folder_that_cannot_be_used_is_said_on_the_last_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "metadata.csv").unlink()
    assert main(["data", "check", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[:-1]) == (
        f"{folder}: the image folder has no table; put one CSV, such as metadata.csv, beside the images"
    )
    assert lines[-1] == "not usable: mend this and check again"


def test_the_deal_to_clinics_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(folder, "A,mel,P1,x", "B,nv,P2,x", "C,nv,P3,y", "D,bcc,P4,x", header="image_id,dx,patient_id,camera")
    assert main(["data", "check", str(folder), "--json", "--clinics", "2", "--split-by", "camera"]) == 0
    assert json.loads(capsys.readouterr().out)["clinics"] == {
        "x": {"cases": 3, "highRisk": 2},
        "y": {"cases": 1, "highRisk": 0},
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--split-by", "camera"), "--split-by needs --clinics N"),
        (("--split-by", "nothing", "--clinics", "2"), "there is no column 'nothing' to split by"),
        (("--clinics", "9"), "4 patients are too few for 9 clinics"),
    ],
)
def test_a_deal_that_is_not_possible_is_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    assert main(["data", "check", str(folder), *options]) == 2
    assert sentence in capsys.readouterr().err


def test_nothing_is_written(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
    main(["data", "check", str(folder)])
    assert {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())} == before


LACKING = "no case of {}: other clinics may have some"
REMARKS = {
    "no high-risk case": (
        ("B,nv,P1,2026-03-01", "C,bkl,P2,2026-03-01"),
        (
            "no high-risk case: the clinic takes part, but teaches nothing of what must not be missed",
            LACKING.format("mel, bcc, akiec, scc, df, vasc"),
        ),
    ),
    "high-risk cases only": (
        ("A,mel,P1,2026-03-01", "D,bcc,P2,2026-03-01"),
        (
            "high-risk cases only: the clinic takes part, but teaches nothing of what is harmless",
            LACKING.format("akiec, scc, nv, bkl, df, vasc"),
        ),
    ),
    "one class of one patient": (
        ("B,nv,P1,2026-03-01", "C,nv,P1,2026-03-01"),
        (
            "no high-risk case: the clinic takes part, but teaches nothing of what must not be missed",
            "one class only: nv",
            LACKING.format("mel, bcc, akiec, scc, bkl, df, vasc"),
            "all cases are of one patient",
        ),
    ),
    "a day in the future and none": (
        ("A,mel,P1,2026-03-05", "B,nv,P2,"),
        (
            LACKING.format("bcc, akiec, scc, bkl, df, vasc"),
            "1 cases without a date are in no round, as others have one",
            "1 dates lie in the future: such a case is in no round before that day",
        ),
    ),
}


@pytest.mark.parametrize(("rows", "want"), REMARKS.values(), ids=REMARKS.keys())
def test_what_stops_nothing_is_a_remark(folder: Path, rows: tuple[str, ...], want: tuple[str, ...]) -> None:
    table(folder, *rows, header="image_id,dx,patient_id,visit_date")
    told = remarks(inspect(folder), NOW)
    assert tuple(remark for remark in told if "without a row" not in remark) == want


def test_a_table_of_benign_and_malignant_lacks_no_other_class(folder: Path) -> None:
    table(folder, "A,malignant", "B,benign", header="image_id,benign_malignant")
    assert not any("no case of" in remark for remark in remarks(inspect(folder), NOW))


def test_a_table_without_dates_is_told(folder: Path) -> None:
    table(folder, "A,mel,P1", "B,nv,P2")
    assert remarks(inspect(folder), NOW)[-1] == (
        "no dates: an image counts as added when a training first sees it, so in the first round all are recent"
    )


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (("A,mel,P1", "B,nv,P1"), "with different diagnoses: correct the table (such as 'A' and 'B')"),
        (("A,nv,P1", "B,nv,P2"), "as if of different patients: name the patient, or keep one (such as 'A' and 'B')"),
        (("A,nv,P1", "B,nv,P1"), ": each counts (such as 'A' and 'B')"),
    ],
)
def test_the_same_image_under_two_ids_is_told(folder: Path, rows: tuple[str, ...], what: str) -> None:
    (folder / "B.jpg").write_bytes((folder / "A.jpg").read_bytes())
    table(folder, *rows)
    (told,) = [remark for remark in remarks(inspect(folder), NOW) if "under several ids" in remark]
    assert told.endswith(what)


def test_a_link_out_of_the_folder_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.jpg").write_bytes(saved(photo(), "JPEG"))
    (folder / "B.jpg").unlink()
    (folder / "B.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (folder / "inside").mkdir()
    (folder / "C.jpg").rename(folder / "inside/real.jpg")
    (folder / "C.jpg").symlink_to("inside/real.jpg")
    links = [remark for remark in remarks(inspect(folder), NOW) if "links" in remark]
    assert links == ["1 images are links that lead out of the folder: a Job that sees only the folder lacks 'B'"]
