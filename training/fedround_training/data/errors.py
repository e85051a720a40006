"""The errors of the data rooms. Each message is one sentence for the person whose data it is: what, where, what to do.

    DataError
    ├── DataWrong         a folder that cannot be used at all; its `problem` says why in fixed words
    │   ├── TableWrong    the CSV of an image folder cannot be read as a table of lesions
    │   ├── FolderWrong   a folder holds no such table, or no images for it
    │   └── IndexCorrupt  the index of first-seen images cannot be trusted
    ├── SplitImpossible   the cases cannot be split as asked
    ├── ImageUnreadable   one image cannot be decoded; it is set aside, the others go on
    └── TestSetChanged    a test set is not the one that its manifest, or the model object, names

Messages may name files and cells of a table, so they stay in the clinic: what leaves the Job is the problem or the
cause, in its fixed words. Names and cells are quoted, cut and escaped: a message is one line, whatever is in a file.
"""

from collections.abc import Sequence
from pathlib import Path

from fedround_api.dataproblems import DataProblem, QuarantineCause

_LONGEST_QUOTED = 60


def quoted(text: str) -> str:
    """Text from a file as part of a sentence: printable, in quotes, not long."""
    return repr(text if len(text) <= _LONGEST_QUOTED else f"{text[: _LONGEST_QUOTED - 1]}…")


def shown(path: Path) -> str:
    """A path as part of a sentence; whole, as it has to be found."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in str(path))


def listed(parts: Sequence[str], most: int = 8) -> str:
    """The first parts of an enumeration, and how many more there are."""
    first = ", ".join(parts[:most])
    return first if len(parts) <= most else f"{first} and {len(parts) - most} more"


class DataError(Exception):
    """Root of all errors of this package."""


class DataWrong(DataError):
    """`found` says what was found and where, the problem's advice what to do."""

    def __init__(self, path: Path, problem: DataProblem, found: str | None = None) -> None:
        super().__init__(f"{shown(path)}: {found or problem}; {problem.advice}")
        self.problem = problem


class TableWrong(DataWrong):
    pass


class FolderWrong(DataWrong):
    pass


class IndexCorrupt(DataWrong):
    def __init__(self, index: Path, found: str) -> None:
        super().__init__(index, DataProblem.INDEX_CORRUPT, f"the index of first-seen images is corrupt ({found})")


class SplitImpossible(DataError):
    """The number of clinics, the column or the fraction does not fit the cases."""


class ImageUnreadable(DataError):
    """One image that cannot be used. Carries the id and the cause, never the path."""

    def __init__(self, image_id: str, cause: QuarantineCause) -> None:
        super().__init__(f"image {quoted(image_id)} cannot be used: {cause}")
        self.image_id = image_id
        self.cause = cause


class TestSetChanged(DataError):
    """The test set differs from its manifest, or the manifest from the digest asked for."""

    def __init__(self, folder: Path, difference: str) -> None:
        super().__init__(f"{shown(folder)}: the test set has changed: {difference}")
