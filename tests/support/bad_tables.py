"""Bad tables and folders as clinics have them, each with the message that it gives."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fedround_api.dataproblems import DataProblem
from support.bad_data import GOOD_TABLE, JPEG


@dataclass(frozen=True)
class BadTable:
    """The table's bytes, the problem, and what the message says before the advice."""

    content: bytes
    problem: DataProblem
    message: str


def _table(text: str, problem: DataProblem, message: str) -> BadTable:
    return BadTable(text.encode(), problem, message)


_UNDERSTOOD = (
    "(dx, diagnosis, diagnostic, diagnosis_1 to diagnosis_5, benign_malignant, malignant, target, diagnosis_1, "
)
_UNDERSTOOD += "or one column a class such as MEL, NV, BCC)"

BAD_TABLES: dict[str, BadTable] = {
    "nothing": _table("", DataProblem.TABLE_EMPTY, "the table is empty"),
    "blank lines": _table("\n  \n\r\n", DataProblem.TABLE_EMPTY, "the table is empty"),
    "blank cells": _table(",,,\n,,,\n", DataProblem.TABLE_EMPTY, "the table is empty"),
    "header only": _table("image_id,dx\n", DataProblem.HEADER_ONLY, "the table has a header and no row"),
    "UTF-16": BadTable(GOOD_TABLE.encode("utf-16"), DataProblem.TABLE_UTF16, "the table is UTF-16 instead of UTF-8"),
    "UTF-16 without its mark": BadTable(
        GOOD_TABLE.encode("utf-16-le"), DataProblem.TABLE_BINARY, "the table is no text: a NUL byte at line 1"
    ),
    "Latin-1": BadTable(
        "image_id,dx\nA,mel\nB,Nävus\n".encode("latin-1"),
        DataProblem.TABLE_NOT_UTF8,
        "the table is not UTF-8: byte 0xE4 at line 3",
    ),
    "a NUL byte": _table(
        "image_id,dx\nA,mel\nB,n\0v\n", DataProblem.TABLE_BINARY, "the table is no text: a NUL byte at line 3"
    ),
    "a workbook that was renamed": BadTable(
        b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)),
        DataProblem.TABLE_BINARY,
        "the table is no text: a NUL byte at line 1",
    ),
    "a photo": BadTable(JPEG, DataProblem.TABLE_BINARY, "the table is no text: a NUL byte at line 1"),
    "bars between the cells": _table(
        GOOD_TABLE.replace(",", "|"),
        DataProblem.DELIMITER,
        "the table's cells are not separated by comma, semicolon or tab: "
        "the header is 'image_id|dx|patient_id|visit_date'",
    ),
    "two delimiters": _table("image_id,dx\nA;mel\n", DataProblem.RAGGED_ROW, "line 2 has 1 cells, the header 2"),
    "a row with one cell more": _table(
        "image_id,note,dx\nA,brown, flat,nv\n", DataProblem.RAGGED_ROW, "line 2 has 4 cells, the header 3"
    ),
    "a row that was cut off": _table(
        GOOD_TABLE.removesuffix(",bcc,P4,2026-03-03\n"), DataProblem.RAGGED_ROW, "line 5 has 1 cells, the header 4"
    ),
    "a quote without end": _table(
        'image_id,dx\nA,mel\nB,"nv\nC,nv\n',
        DataProblem.OPEN_QUOTE,
        "a quoted cell of the table has no end: in the row that begins at line 3",
    ),
    "text after a quote": _table(
        'image_id,dx\nA,"mel"anoma\n',
        DataProblem.BROKEN_QUOTE,
        "a quoted cell of the table is broken: in the row that begins at line 2",
    ),
    "a huge cell": _table(
        f"image_id,dx\nA,{'x' * 200_000}\n",
        DataProblem.CELL_TOO_LARGE,
        "a cell of the table is too large: in the row that begins at line 2",
    ),
    "the same column twice": _table(
        "image_id,dx,dx\nA,nv,mel\n",
        DataProblem.COLUMN_TWICE,
        "two columns of the table have the same name: 'dx', 'dx'",
    ),
    "columns that differ in writing": _table(
        "image_id,Image ID,dx\nA,B,mel\n",
        DataProblem.COLUMN_TWICE,
        "two columns of the table have the same name: 'image_id', 'Image ID'",
    ),
    "no image column": _table(
        "picture,dx\nA,nv\n",
        DataProblem.NO_IMAGE_COLUMN,
        "the table has no column for the image (image_id, isic_id, image, image_name, img_id, bcn_filename, filename, "
        "file_name), only 'picture', 'dx'",
    ),
    "no label column": _table(
        "image_id,age\nA,50\n",
        DataProblem.NO_LABEL_COLUMN,
        f"the table has no column for the diagnosis {_UNDERSTOOD}, only 'image_id', 'age'",
    ),
    "one column": _table(
        "image_id\nA\n",
        DataProblem.NO_LABEL_COLUMN,
        f"the table has no column for the diagnosis {_UNDERSTOOD}, only 'image_id'",
    ),
    "a row without an image": _table(
        "image_id,dx\nA,nv\n ,mel\n", DataProblem.NO_IMAGE_ID, "line 3, column 'image_id' is empty"
    ),
    "an id twice": _table(
        "image_id,dx\nA,nv\nB,nv\nA,nv\n", DataProblem.IMAGE_TWICE, "lines 2 and 4 name the same image 'A'"
    ),
    "an id twice, once with its ending": _table(
        "image_id,dx\nA,nv\nA.JPG,mel\n", DataProblem.IMAGE_TWICE, "lines 2 and 3 name the same image 'A'"
    ),
    "a date of unknown order": _table(
        "image_id,dx,visit_date\nA,nv,2026-04-03\nB,nv,03/04/2026\n",
        DataProblem.BAD_DATE,
        "line 3, column 'visit_date': '03/04/2026' is no ISO date",
    ),
    "a day that does not exist": _table(
        "image_id,dx,date_added\nA,nv,2026-02-30\n",
        DataProblem.BAD_DATE,
        "line 2, column 'date_added': '2026-02-30' is no ISO date",
    ),
    "a date before the calendar": _table(
        "image_id,dx,visit_date\nA,nv,0001-01-01T00:00+14:00\n",
        DataProblem.BAD_DATE,
        "line 2, column 'visit_date': '0001-01-01T00:00+14:00' is no ISO date",
    ),
    "a long cell full of line ends for a date": _table(
        'image_id,dx,visit_date\nA,nv,"' + "\n\x1b[31m" * 60 + '"\n',
        DataProblem.BAD_DATE,
        "line 62, column 'visit_date': '" + r"\n\x1b[31m" * 9 + r"\n\x1b[31…' is no ISO date",
    ),
    "no diagnosis at all": _table(
        "image_id,dx\nA,\nB,unknown\n", DataProblem.NO_DIAGNOSIS, "no row with an image has a diagnosis"
    ),
    "a diagnosis only where the image is missing": _table(
        "image_id,dx\nA,\nX,mel\n", DataProblem.NO_DIAGNOSIS, "no row with an image has a diagnosis"
    ),
    "unknown classes only": _table(
        "image_id,dx\nA,wart\nB,wart\nC,mole?\n",
        DataProblem.UNKNOWN_CLASSES,
        "no row with an image has a known diagnosis, only 'wart' 2, 'mole?' 1",
    ),
    "contradictions only": _table(
        "image_id,dx,benign_malignant\nA,nv,malignant\nB,mel,benign\n",
        DataProblem.CONTRADICTIONS,
        "in every row with an image the diagnosis contradicts the benign-or-malignant column",
    ),
    "nothing that fits": _table(
        "image_id,dx\nA,wart\nB,\nX,mel\n",
        DataProblem.NO_USABLE_ROW,
        "no row of the table can be used: 1 rows with no image file, "
        "1 rows with no diagnosis, 1 rows with a diagnosis that is none of the known classes",
    ),
    "ids of other images": _table(
        "image_id,dx\nX1,nv\nX2,mel\n",
        DataProblem.NO_MATCH,
        "no image has the name of a row: 4 images such as 'A', rows such as 'X1'",
    ),
    "ids in small letters": _table(
        "image_id,dx\na,nv\nb,mel\n",
        DataProblem.NO_MATCH,
        "no image has the name of a row: 4 images such as 'A', rows such as 'a' (they differ only in capital letters)",
    ),
}


@dataclass(frozen=True)
class BadFolder:
    """What is done to a good folder, the problem, and what the message says before the advice."""

    spoil: Callable[[Path], object]
    problem: DataProblem
    message: str


def _without_images(folder: Path, suffix: str = "") -> None:
    for path in folder.glob("*.jpg"):
        path.rename(path.with_suffix(suffix)) if suffix else path.unlink()


def _spoil_all(folder: Path) -> None:
    for path in folder.glob("*.jpg"):
        path.write_bytes(b"" if path.stem == "A" else b"no image")


def _table_is(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "metadata.csv").unlink()
        make(folder / "metadata.csv")

    return spoil


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _a_file(folder: Path) -> None:
    _remove(folder)
    folder.write_text(GOOD_TABLE)


def _two_tables(folder: Path) -> None:
    (folder / "metadata.csv").rename(folder / "2025.csv")
    (folder / "2026.csv").write_text(GOOD_TABLE)


BAD_FOLDERS: dict[str, BadFolder] = {
    "no folder": BadFolder(_remove, DataProblem.FOLDER_MISSING, "there is no image folder"),
    "a file instead of the folder": BadFolder(
        _a_file,
        DataProblem.FOLDER_MISSING,
        "this is a file and no folder",
    ),
    "no table": BadFolder(_table_is(lambda path: None), DataProblem.TABLE_MISSING, "the image folder has no table"),
    "a workbook for a table": BadFolder(
        _table_is(lambda path: path.with_suffix(".XLSX").touch()),
        DataProblem.TABLE_MISSING,
        "the image folder has no table (but 'metadata.XLSX')",
    ),
    "two tables": BadFolder(
        _two_tables, DataProblem.SEVERAL_TABLES, "the image folder has several tables: '2025.csv', '2026.csv'"
    ),
    "a folder with the table's name": BadFolder(
        _table_is(Path.mkdir), DataProblem.TABLE_NOT_A_FILE, "the table is not a regular file"
    ),
    "a pipe with the table's name": BadFolder(
        _table_is(os.mkfifo), DataProblem.TABLE_NOT_A_FILE, "the table is not a regular file"
    ),
    "a link to an endless device with the table's name": BadFolder(
        _table_is(lambda path: path.symlink_to("/dev/zero")),
        DataProblem.TABLE_NOT_A_FILE,
        "the table is not a regular file",
    ),
    "no image": BadFolder(_without_images, DataProblem.NO_IMAGES, "the image folder has no JPEG or PNG"),
    "images of another format only": BadFolder(
        lambda folder: _without_images(folder, ".heic"),
        DataProblem.NO_IMAGES,
        "the image folder has no JPEG or PNG (but .heic 4)",
    ),
    "no image that can be read": BadFolder(
        _spoil_all,
        DataProblem.NO_READABLE_IMAGE,
        "none of the images can be read: not a JPEG or PNG (3), empty (1)",
    ),
}
