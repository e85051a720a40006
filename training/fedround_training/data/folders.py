"""What lies in an image folder: the table at its top, and image files anywhere below it. Reads names only.

Called by `catalogue`. Accepted are JPEG and PNG, by the ending of the name (.jpg, .jpeg, .png, in any case). Images in
other formats are counted, so that nobody wonders where they are. Links are followed, folders each once.
"""

import filecmp
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fedround_api.dataproblems import DataProblem
from fedround_training.data.errors import FolderWrong, TableWrong, listed, quoted
from fedround_training.data.regular import is_regular

TABLE_NAME = "metadata.csv"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})

#: What a clinic's folder may hold beside: the formats of scanners, telephones, microscopes and archives.
_OTHER_FORMATS = frozenset(
    {
        *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jxl", ".psd", ".tif", ".tiff", ".webp"),
        *(".arw", ".cr2", ".cr3", ".dcm", ".dicom", ".dng", ".nef", ".svs"),
    }
)


_OTHER_TABLES = frozenset({".xlsx", ".xls", ".ods", ".tsv", ".txt", ".json", ".parquet"})


@dataclass(frozen=True)
class ImageFiles:
    """`by_id` has one file for each id; `ambiguous` the ids of several files that differ.

    `passed_over` counts images of other formats by ending, `unread_folders` those that cannot be listed.
    """

    by_id: Mapping[str, Path]
    ambiguous: frozenset[str]
    passed_over: Mapping[str, int]
    unread_folders: int


def image_id_of(name: str) -> str:
    """An image's id from a cell or a file name: without folders, and without the suffix if it is one of an image's.

    In one of the two ways that Unicode has for an umlaut: macOS writes the other one into file names.
    """
    name = unicodedata.normalize("NFC", name).strip().replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in IMAGE_SUFFIXES else name


def find_table(folder: Path) -> Path:
    """The CSV at the top: the only one, or the one that is named metadata.csv. Raises FolderWrong or TableWrong."""
    candidates = [path for path in _entries(folder) if path.suffix.lower() == ".csv" and not path.name.startswith(".")]
    files = [path for path in candidates if is_regular(path)]
    if candidates and not files:
        raise TableWrong(candidates[0], DataProblem.TABLE_NOT_A_FILE)
    if not files:
        raise _no_table(folder)
    named = [path for path in files if path.name.lower() == TABLE_NAME]
    chosen = named if len(named) == 1 else files
    if len(chosen) > 1:
        found = f"{DataProblem.SEVERAL_TABLES}: {listed([quoted(path.name) for path in chosen])}"
        raise FolderWrong(folder, DataProblem.SEVERAL_TABLES, found)
    return chosen[0]


def find_images(folder: Path) -> ImageFiles:
    """The image files by id. Exact copies count as one file (copies of HAM10000 often have some)."""
    walk = _Walk()
    by_id: dict[str, Path] = {}
    ambiguous: set[str] = set()
    for path in walk.images(folder):
        image_id = image_id_of(path.name)
        known = by_id.setdefault(image_id, path)
        if known is not path and not _same(known, path):
            ambiguous.add(image_id)
    return ImageFiles(
        by_id={image_id: path for image_id, path in by_id.items() if image_id not in ambiguous},
        ambiguous=frozenset(ambiguous),
        passed_over=dict(sorted(walk.passed_over.items(), key=lambda item: (-item[1], item[0]))),
        unread_folders=walk.unread_folders,
    )


def _no_table(folder: Path) -> FolderWrong:
    others = [quoted(path.name) for path in _entries(folder) if path.suffix.lower() in _OTHER_TABLES]
    beside = f" (but {listed(others)})" if others else ""
    return FolderWrong(folder, DataProblem.TABLE_MISSING, f"{DataProblem.TABLE_MISSING}{beside}")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError as error:
        raise FolderWrong(folder, DataProblem.FOLDER_MISSING) from error
    except NotADirectoryError as error:
        raise FolderWrong(folder, DataProblem.FOLDER_MISSING, "this is a file and no folder") from error
    except OSError as error:
        found = f"{DataProblem.FOLDER_NOT_READ} ({error.strerror})"
        raise FolderWrong(folder, DataProblem.FOLDER_NOT_READ, found) from error


def _same(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads to itself, for example. As an image it will be set aside with its cause.
        return False


@dataclass
class _Walk:
    """One pass over a folder, in a fixed order; passes over hidden files and those that macOS writes into archives."""

    passed_over: Counter[str] = field(default_factory=Counter)
    unread_folders: int = 0

    def images(self, folder: Path) -> Iterator[Path]:
        entered: set[tuple[int, int]] = set()
        pending = [str(folder)]
        # A list of what is left, not recursion: folders can be nested deeper than Python's stack.
        while pending:
            place = pending.pop()
            folders, names = self._listed(place, entered)
            pending += [os.path.join(place, name) for name in reversed(folders)]
            yield from (Path(place, name) for name in names if self._is_image(name))

    def _listed(self, place: str, entered: set[tuple[int, int]]) -> tuple[list[str], list[str]]:
        """Names of folders and of all else, sorted; none of a folder that was `entered` before by another path."""
        folders: list[str] = []
        names: list[str] = []
        try:
            status = os.stat(place)
            if (status.st_dev, status.st_ino) in entered:
                return [], []
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                for entry in entries:
                    if not entry.name.startswith((".", "__MACOSX")):
                        (folders if _is_folder(entry) else names).append(entry.name)
        except OSError:
            self.unread_folders += 1
        return sorted(folders), sorted(names)

    def _is_image(self, name: str) -> bool:
        ending = os.path.splitext(name)[1].lower()
        if ending in _OTHER_FORMATS:
            self.passed_over[ending] += 1
        return ending in IMAGE_SUFFIXES
