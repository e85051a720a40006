"""`fedround data synthesize|check`, parsed."""

from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.parsers import Commands, add_command, add_group
from fedround_cli.arguments.types import whole_number


def add(commands: Commands) -> None:
    """Add the command."""
    actions = add_group(
        commands,
        "data",
        "image folders: draw one, check one",
        description="Folders of images with one CSV, as clinics have them.",
        examples=[
            ("data synthesize DIR", "draw lesions to practise on"),
            ("data check DIR", "can a training use this folder?"),
        ],
    )
    _add_synthesize(actions)
    _add_check(actions)


def _add_synthesize(actions: Commands) -> None:
    synthesize = add_command(
        actions,
        "synthesize",
        "draw lesions: a folder to practise on, nobody's data",
        description="Draws photos of skin lesions as clinics with different patients and cameras would take them, and "
        "writes them as JPEGs with a table in the columns of the ISIC archive. The same options give the same images.",
        examples=[
            ("data synthesize DIR", "600 images of three clinics"),
            ("data synthesize DIR --profiles non-iid --images 3450", "five clinics that differ a lot"),
            ("data synthesize DIR --flaws", "with bad files, to practise on"),
            ("data synthesize --contact-sheet FILE.jpg", "what they look like"),
        ],
        notes="DIR must be new or empty. Clinics by the column `clinic`. demo: urban, northern, childrens; non-iid: "
        "urban, darkskin, paed, cancer, rural. --flaws writes flaws.json, which says what is wrong with which image.",
        json="what was written, with counts",
        runner="fedround_cli.data_synthesize",
    )
    synthesize.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="the folder to write")
    synthesize.add_argument(
        "--images", type=whole_number(1, 1_000_000), default=600, metavar="N", help="number of images"
    )
    synthesize.add_argument(
        "--size", type=whole_number(32, 2048), default=128, metavar="PX", help="width; the height is three quarters"
    )
    synthesize.add_argument(
        "--seed", type=whole_number(0, 2**31 - 1), default=0, metavar="N", help="seed of all that is drawn"
    )
    synthesize.add_argument(
        "--profiles", choices=("demo", "non-iid"), default="demo", metavar="SET", help="the clinics: demo or non-iid"
    )
    synthesize.add_argument("--flaws", action="store_true", help="plant bad files, duplicates, names in EXIF")
    synthesize.add_argument(
        "--contact-sheet", type=Path, metavar="FILE", help="also draw a sheet of all classes and skin types"
    )


def _add_check(actions: Commands) -> None:
    check = add_command(
        actions,
        "check",
        "say whether a training can use a folder, and what is wrong with it",
        description="Reads the table and every image as a training does, and says what it would use, what it would "
        "set aside and why, and what to mend. Writes nothing; nothing leaves the machine.",
        examples=[
            ("data check DIR", "before a clinic joins"),
            ("data check DIR --clinics 4 --split-by dataset", "what the demo would make of it"),
        ],
        exit_codes={CommandExit.DONE: "usable", CommandExit.FAILED: "not usable"},
        notes="Images are JPEG or PNG, by the ending .jpg, .jpeg or .png in any folder below DIR; 8-bit colour or "
        "grey. The CSV stands at the top.",
        json="the same, with the first ids of the images that were set aside",
        runner="fedround_cli.data_check",
    )
    check.add_argument("folder", type=Path, metavar="DIR", help="the folder of images and table")
    check.add_argument("--clinics", type=whole_number(1, 50), metavar="N", help="show the deal to so many clinics")
    check.add_argument("--split-by", metavar="COLUMN", help="with --clinics: by a column; else patients at random")
