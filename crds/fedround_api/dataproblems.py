"""What can be wrong with a clinic's images and their table, in fixed words, and what to do.

`train` ends with one of these words, which go to the clinic's API server, so none of them holds a name, a cell or a
file name. The message with the details stays in the Job's log; the hub sees neither.
"""

from enum import StrEnum


class QuarantineCause(StrEnum):
    """Why one image was set aside; the others go on."""

    MISSING = "missing"
    NOT_A_FILE = "not a regular file"
    NOT_READ = "refused by the operating system"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not a JPEG or PNG"
    TOO_MANY_BYTES = "too many bytes"
    TOO_LARGE = "too many pixels"
    TOO_MANY_SCANS = "more scans than a photo has"
    CMYK = "CMYK instead of RGB or grey"
    DEEP = "more than 8 bits a channel"
    ANIMATED = "more than one frame"
    DAMAGED = "damaged or cut off"

    @property
    def advice(self) -> str:
        """What to do, as the end of a sentence."""
        return _CAUSE_ADVICE[self]


class DataProblem(StrEnum):
    """Why a clinic's folder cannot be used at all."""

    # the folder
    FOLDER_MISSING = "there is no image folder"
    FOLDER_NOT_READ = "the operating system refuses to list the image folder"
    TABLE_MISSING = "the image folder has no table"
    SEVERAL_TABLES = "the image folder has several tables"
    NO_IMAGES = "the image folder has no JPEG or PNG"
    NO_MATCH = "no image has the name of a row"
    NO_READABLE_IMAGE = "none of the images can be read"
    # the table as a file
    TABLE_NOT_A_FILE = "the table is not a regular file"
    TABLE_NOT_READ = "the operating system refuses to open the table"
    TABLE_TOO_LARGE = "the table is too large"
    TABLE_EMPTY = "the table is empty"
    TABLE_BINARY = "the table is no text"
    TABLE_UTF16 = "the table is UTF-16 instead of UTF-8"
    TABLE_NOT_UTF8 = "the table is not UTF-8"
    # its shape
    HEADER_ONLY = "the table has a header and no row"
    DELIMITER = "the table's cells are not separated by comma, semicolon or tab"
    OPEN_QUOTE = "a quoted cell of the table has no end"
    BROKEN_QUOTE = "a quoted cell of the table is broken"
    CELL_TOO_LARGE = "a cell of the table is too large"
    RAGGED_ROW = "a row of the table has more or fewer cells than the header"
    # its columns
    COLUMN_TWICE = "two columns of the table have the same name"
    NO_IMAGE_COLUMN = "the table has no column for the image"
    NO_LABEL_COLUMN = "the table has no column for the diagnosis"
    # its cells
    NO_IMAGE_ID = "a row of the table names no image"
    IMAGE_TWICE = "two rows of the table name the same image"
    BAD_DATE = "a date of the table is not in ISO form"
    NO_DIAGNOSIS = "no row with an image has a diagnosis"
    UNKNOWN_CLASSES = "no row with an image has a known diagnosis"
    CONTRADICTIONS = "in every row with an image the diagnosis contradicts the benign-or-malignant column"
    NO_USABLE_ROW = "no row of the table can be used"
    # what the clinic keeps
    INDEX_CORRUPT = "the index of first-seen images cannot be read"

    @property
    def advice(self) -> str:
        """What to do, as the end of a sentence."""
        return _ADVICE[self]


_ADVICE = {
    DataProblem.FOLDER_MISSING: "name the folder that holds the images and one CSV",
    DataProblem.FOLDER_NOT_READ: "let the user that runs this read and enter the folder",
    DataProblem.TABLE_MISSING: "put one CSV, such as metadata.csv, beside the images",
    DataProblem.SEVERAL_TABLES: "name the one to use metadata.csv, or remove the others",
    DataProblem.NO_IMAGES: "put the images into the folder, as .jpg, .jpeg or .png",
    DataProblem.NO_MATCH: "the image column has to hold the names of the files, with or without their ending",
    DataProblem.NO_READABLE_IMAGE: "`fedround data check` names each image and what is wrong with it",
    DataProblem.TABLE_NOT_A_FILE: "replace it by the CSV itself",
    DataProblem.TABLE_NOT_READ: "let the user that runs this read it",
    DataProblem.TABLE_TOO_LARGE: "leave out columns or rows that are not needed",
    DataProblem.TABLE_EMPTY: "export it again",
    DataProblem.TABLE_BINARY: "export it as 'CSV UTF-8'; a workbook that is only renamed does not become a CSV",
    DataProblem.TABLE_UTF16: "save it as 'CSV UTF-8'",
    DataProblem.TABLE_NOT_UTF8: "save it as 'CSV UTF-8'",
    DataProblem.HEADER_ONLY: "export it again with its rows",
    DataProblem.DELIMITER: "export it with commas",
    DataProblem.OPEN_QUOTE: "close the quote, or export the table again",
    DataProblem.BROKEN_QUOTE: "write a quote inside of a quoted cell twice, or export the table again",
    DataProblem.CELL_TOO_LARGE: "shorten the cell; an open quote before it may be the cause",
    DataProblem.RAGGED_ROW: "put cells that hold a delimiter in quotes, or export the table again",
    DataProblem.COLUMN_TWICE: "rename or remove one of them",
    DataProblem.NO_IMAGE_COLUMN: "rename the column that names the image to image_id",
    DataProblem.NO_LABEL_COLUMN: "rename the column of the diagnosis to dx",
    DataProblem.NO_IMAGE_ID: "fill in the image or remove the row",
    DataProblem.IMAGE_TWICE: "keep the row that is right",
    DataProblem.BAD_DATE: "write dates as 2026-11-24",
    DataProblem.NO_DIAGNOSIS: "fill in the diagnosis column",
    DataProblem.UNKNOWN_CLASSES: "write diagnoses as in HAM10000 or ISIC: mel, bcc, akiec, scc, nv, bkl, df, vasc",
    DataProblem.CONTRADICTIONS: "correct one of the two columns",
    DataProblem.NO_USABLE_ROW: "put the missing images into the folder, and mend the diagnoses that are named",
    DataProblem.INDEX_CORRUPT: "restore it from a backup, or delete it on purpose to count every image as new",
}

_CAUSE_ADVICE = {
    QuarantineCause.MISSING: "the file is gone, or a link leads nowhere: put the image itself into the folder",
    QuarantineCause.NOT_A_FILE: "a folder, device or pipe has the name of an image: remove it",
    QuarantineCause.NOT_READ: "let the user that runs this read the file",
    QuarantineCause.EMPTY: "copy it again from where it came from",
    QuarantineCause.NOT_AN_IMAGE: "export it as JPEG or PNG; another name does not change the format",
    QuarantineCause.TOO_MANY_BYTES: "export it smaller, below 128 MiB",
    QuarantineCause.TOO_LARGE: "export it smaller, below 64 megapixels",
    QuarantineCause.TOO_MANY_SCANS: "export it again as a plain JPEG; nobody's camera writes such files",
    QuarantineCause.CMYK: "export it in RGB: print colours cannot be turned back exactly",
    QuarantineCause.DEEP: "export it with 8 bits a channel, with the brightness that it is looked at with",
    QuarantineCause.ANIMATED: "export the frame that is meant",
    QuarantineCause.DAMAGED: "copy it again from where it came from",
}
