"""The errors of the data rooms. Each message is one sentence for the person whose data it is.

    DataError
    ├── TableWrong        the CSV of an image folder cannot be read as a table of lesions
    ├── FolderWrong       a folder holds no such table, or no images for it
    ├── SplitImpossible   the cases cannot be split as asked
    ├── ImageUnreadable   one image cannot be decoded; it is set aside, the others go on
    ├── IndexCorrupt      the index of first-seen files cannot be trusted
    └── TestSetChanged    a test set is not the one that its manifest, or the model object, names

Messages may name files and cells of a table, so they stay in the clinic: what leaves it is the class of the error,
never its text.
"""

from enum import StrEnum
from pathlib import Path


class DataError(Exception):
    """Root of all errors of this package."""


class TableWrong(DataError):
    def __init__(self, table: Path, expected: str, found: str) -> None:
        super().__init__(f"{table}: expected {expected}, found {found}")


class FolderWrong(DataError):
    def __init__(self, folder: Path, expected: str, found: str) -> None:
        super().__init__(f"{folder}: expected {expected}, found {found}")


class SplitImpossible(DataError):
    """The number of clinics, the column or the fraction does not fit the cases."""


class UnreadableCause(StrEnum):
    """Why an image was set aside: fixed words, so that a count of them can be shown without showing a file's name."""

    MISSING = "missing"
    NOT_READ = "refused by the operating system"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not a JPEG or PNG"
    TOO_LARGE = "too many pixels"
    UNSUPPORTED = "neither 8-bit colour nor grey"
    ANIMATED = "more than one frame"
    DAMAGED = "damaged or cut off"


class ImageUnreadable(DataError):
    """One image that cannot be used. Carries the id and the cause, never the path."""

    def __init__(self, image_id: str, cause: UnreadableCause) -> None:
        super().__init__(f"image {image_id!r} cannot be used: {cause}")
        self.image_id = image_id
        self.cause = cause


class IndexCorrupt(DataError):
    def __init__(self, index: Path, found: str) -> None:
        super().__init__(
            f"{index}: the index of first-seen files is corrupt ({found}); restore it from a backup, "
            f"or delete it on purpose to count every file as new"
        )


class TestSetChanged(DataError):
    """The test set differs from its manifest, or the manifest from the digest asked for."""

    def __init__(self, folder: Path, difference: str) -> None:
        super().__init__(f"{folder}: the test set has changed: {difference}")
