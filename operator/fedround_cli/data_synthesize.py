"""`fedround data synthesize`: a folder of drawn lesions, or a picture of what they look like."""

import argparse
import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.failures import UsageProblem
from fedround_cli.outputs import replacing
from fedround_cli.terminal import Progress, program
from fedround_local.errors import DataUnusable
from fedround_training.data.catalogue import Catalogue, read_catalogue
from fedround_training.data.dermoscopy import DEMO, NON_IID, contact_sheet, plant_flaws, write_synthetic_folder
from fedround_training.data.dermoscopy.flaws import FEWEST_IMAGES, TRUTH_NAME

_PROFILES = {"demo": DEMO, "non-iid": NON_IID}
_SHEET_QUALITY = 88
_SHEET_ENDINGS = (".jpg", ".jpeg", ".png")


def run(options: argparse.Namespace) -> int:
    """Draw; 0."""
    _check(options)
    progress = Progress(sys.stderr)
    written: dict[str, Any] = {}
    if options.folder is not None:
        written |= _folder(options, progress)
    if options.contact_sheet is not None:
        progress(f"drawing a contact sheet of the {options.profiles} clinics")
        written["contactSheet"] = str(_sheet(options))
    print(json.dumps(written) if options.json else "\n".join(_lines(options, written)))
    return CommandExit.DONE


def _check(options: argparse.Namespace) -> None:
    if options.folder is None and options.contact_sheet is None:
        raise UsageProblem("name a folder to write to, or a picture with --contact-sheet FILE, or both")
    if options.contact_sheet is not None and options.contact_sheet.suffix.lower() not in _SHEET_ENDINGS:
        raise UsageProblem(f"--contact-sheet writes a JPEG or a PNG: let the file end in {' or '.join(_SHEET_ENDINGS)}")
    if options.flaws and options.folder is None:
        raise UsageProblem("--flaws spoils images of a folder: name the folder")
    if options.flaws and options.images < FEWEST_IMAGES:
        raise UsageProblem(f"--flaws needs at least {FEWEST_IMAGES} images, so that most stay whole")
    if options.folder is not None and options.folder.exists():
        if not options.folder.is_dir():
            raise DataUnusable(f"{options.folder} is a file: name a folder that is new or empty")
        if any(options.folder.iterdir()):
            raise DataUnusable(f"{options.folder} is not empty, and nothing is overwritten: name a new folder")


def _folder(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    progress(f"drawing {options.images} images of {options.size} pixels")
    table = write_synthetic_folder(
        options.folder, options.images, options.seed, _PROFILES[options.profiles], options.size
    )
    # Read before it is spoilt: what was drawn, not what a training would find.
    drawn = read_catalogue(options.folder)
    flaws = plant_flaws(options.folder, options.seed) if options.flaws else {}
    return {
        "folder": str(options.folder),
        "table": str(table),
        **_counts(drawn),
        "flaws": {str(flaw): len(ids) for flaw, ids in flaws.items()},
    }


def _counts(drawn: Catalogue) -> dict[str, Any]:
    return {
        "images": len(drawn.cases),
        "patients": len({case.patient for case in drawn.cases}),
        "clinics": dict(Counter(case.attributes["clinic"] for case in drawn.cases).most_common()),
        "classes": dict(Counter(case.label for case in drawn.cases).most_common()),
    }


def _sheet(options: argparse.Namespace) -> Path:
    path: Path = options.contact_sheet
    with replacing(path) as part:
        contact_sheet(_PROFILES[options.profiles], options.seed).save(part, quality=_SHEET_QUALITY)
    return path


def _lines(options: argparse.Namespace, written: dict[str, Any]) -> list[str]:
    lines = []
    if options.folder is not None:
        lines += [
            f"{written['images']} images of {written['patients']} patients, in {written['table']}",
            f"  clinics  {_listed(written['clinics'])}",
            f"  classes  {_listed(written['classes'])}",
        ]
    if options.flaws:
        lines.append(f"  flaws    {_listed(written['flaws'])}; which is which: {options.folder / TRUTH_NAME}")
    if options.contact_sheet is not None:
        lines.append(f"contact sheet: {options.contact_sheet}")
    return lines + (_next_steps(options) if options.folder is not None else [])


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _next_steps(options: argparse.Namespace) -> list[str]:
    folder, clinics = shlex.quote(str(options.folder)), len(_PROFILES[options.profiles])
    return [
        "try next:",
        f"  {program()} data check {folder}",
        f"  {program()} demo --data {folder} --split-by clinic --clinics {clinics}",
    ]
