"""`fedround data synthesize|check|testset`, parsed."""

from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.parsers import Commands, add_command, add_group
from fedround_cli.arguments.types import whole_number


def add(commands: Commands) -> None:
    """Add the command."""
    actions = add_group(
        commands,
        "data",
        "image folders: draw one, check one, make a test set of one",
        description="Folders of images with one CSV, as clinics have them.",
        examples=[
            ("data synthesize DIR", "draw lesions to practise on"),
            ("data check DIR", "can a training use this folder?"),
            ("data testset DIR --output SET", "what the hub judges a candidate on"),
        ],
    )
    _add_synthesize(actions)
    _add_check(actions)
    _add_test_set(actions)


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


def _add_test_set(actions: Commands) -> None:
    testset = add_command(
        actions,
        "testset",
        "make the hub's test set of a folder: images, table and manifest",
        description="Writes the folder that a model's `testSet` names. Patients are divided between the part that the "
        "threshold is set on and the part that candidates are judged on, and get numbers; images are encoded anew, "
        "without metadata. The manifest's sha256 fixes every file.",
        examples=[
            ("data testset DIR --output SET", "all images of DIR"),
            ("data testset DIR --output SET --split-by dataset", "and from which clinic each is"),
        ],
        exit_codes={CommandExit.DONE: "written"},
        notes="Use images that are public, or given for this under a consent of their own, and that no clinic trains "
        "on. `fedround data check DIR` says before what would be left out. The same options give the same sha256.",
        json="the manifest's sha256, counts, classes",
        runner="fedround_cli.data_testset",
    )
    testset.add_argument("folder", type=Path, metavar="DIR", help="the folder of images and table")
    testset.add_argument("--output", type=Path, required=True, metavar="SET", help="the folder to write; new or empty")
    testset.add_argument(
        "--split-by", metavar="COLUMN", help="the column that says from which clinic an image is; else nobody knows"
    )
    testset.add_argument(
        "--seed", type=whole_number(0, 2**31 - 1), default=0, metavar="N", help="seed of the division of patients"
    )
