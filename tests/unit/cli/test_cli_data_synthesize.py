"""`fedround data synthesize`: what it writes, what it says, and that it overwrites nothing."""

import json
from pathlib import Path

import pytest
from PIL import Image

from fedround_cli.main import main
from fedround_training.data.catalogue import read_catalogue


def test_a_folder_is_written_and_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "drawn"
    assert main(["data", "synthesize", str(folder), "--images", "40", "--size", "32", "--seed", "4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["folder"], told["images"], told["flaws"]) == (str(folder), 40, {})
    assert sum(told["clinics"].values()) == sum(told["classes"].values()) == 40
    assert set(told["clinics"]) == {"urban", "northern", "childrens"}
    assert len(read_catalogue(folder).cases) == 40


def test_it_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my lesions"
    assert main(["data", "synthesize", str(folder), "--images", "60", "--size", "32", "--profiles", "non-iid"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("60 images of ")
    assert lines[-1].endswith(f" demo --data '{folder}' --split-by clinic --clinics 5")


def test_flaws_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["data", "synthesize", str(tmp_path), "--images", "40", "--size", "32", "--flaws"]
    assert main([*options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["flaws"] == {
        "names and places": 2, "sideways": 1, "empty": 1, "truncated": 1, "cmyk": 1, "16-bit": 1, "animated": 1,
        "duplicates": 1, "no image": 1,
    }  # fmt: skip
    assert (tmp_path / "flaws.json").exists()


def test_a_contact_sheet_needs_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.jpg"
    assert main(["data", "synthesize", "--contact-sheet", str(sheet)]) == 0
    assert capsys.readouterr().out == f"contact sheet: {sheet}\n"
    assert sheet.stat().st_size < 400_000
    with Image.open(sheet) as image:
        # A margin and twelve photos across; two headings, six classes and three clinics down.
        assert image.size == (84 + 12 * 104, 2 * 22 + 9 * 104)


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "mine.txt"
    kept.write_text("mine")
    assert main(["data", "synthesize", str(tmp_path)]) == 1
    assert "is not empty, and nothing is overwritten: name a new folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [kept]
    assert main(["data", "synthesize", str(kept)]) == 1
    assert "is a file: name a folder that is new or empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "name a folder to write to, or a picture with --contact-sheet FILE, or both"),
        (["--flaws", "--contact-sheet", "sheet.jpg"], "--flaws spoils images of a folder: name the folder"),
        (["DIR", "--flaws", "--images", "39"], "--flaws needs at least 40 images, so that most stay whole"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "synthesize", *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not Path("DIR").exists()
