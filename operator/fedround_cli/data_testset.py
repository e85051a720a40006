"""`fedround data testset`: the hub's test set, of a folder of images, and how it comes to the hub."""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.terminal import Progress
from fedround_local.errors import DataUnusable
from fedround_training.data.cases import Case
from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.clinic_names import UNSPECIFIED
from fedround_training.data.errors import DataError
from fedround_training.data.heldout import classes_of, contributions, require_both_kinds
from fedround_training.data.images import without_metadata
from fedround_training.data.splits import split_by_column
from fedround_training.data.testset import Encoder, Part, WrittenTestSet, read_test_set, write_test_set
from fedround_training.data.vocabulary import HIGH_RISK

# An image takes some 10 ms: a line every few seconds.
_IMAGES_A_LINE = 500


@dataclass(frozen=True)
class _Made:
    """A test set that was written and read back; `left_out` has notes on what is not in it."""

    folder: Path
    written: WrittenTestSet
    classes: Sequence[str]
    parts: Mapping[Part, Sequence[str]]
    clinics: Mapping[str, int]
    left_out: Sequence[str]


def run(options: argparse.Namespace) -> int:
    """Write the test set; the exit code."""
    _require_empty(options.output)
    try:
        made = _make(options)
    except DataError as error:
        raise DataUnusable(str(error)) from error
    print(json.dumps(_document(made)) if options.json else "\n".join(_lines(made)))
    return CommandExit.DONE


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataUnusable(f"{folder} is there and not empty, and nothing is overwritten: name a new folder")


def _make(options: argparse.Namespace) -> _Made:
    catalogue = read_catalogue(options.folder)
    classes = classes_of(catalogue)
    given = contributions(_by_clinic(catalogue.cases, options.split_by), options.seed)
    require_both_kinds(given)
    options.output.mkdir(parents=True, exist_ok=True)
    written = write_test_set(options.output, given, classes, _told(without_metadata, len(catalogue.cases)))
    # As `validate` reads it: what cannot be used is better known here than in a round.
    cases = read_test_set(options.output, written.digest).cases
    return _Made(
        folder=options.output,
        written=written,
        classes=classes,
        parts={part: [case.label for case in cases if case.part is part] for part in Part},
        clinics={name: sum(case.clinic == name for case in cases) for name in sorted({case.clinic for case in cases})},
        left_out=(*catalogue.left_out(), *map(str, written.quarantined)),
    )


def _by_clinic(cases: Sequence[Case], column: str | None) -> Mapping[str, Sequence[Case]]:
    return split_by_column(cases, column) if column else {UNSPECIFIED: cases}


def _told(encode: Encoder, total: int) -> Encoder:
    """The same, with a line on standard error now and then."""
    say, done = Progress(sys.stderr), 0

    def encoded(path: Path, image_id: str) -> bytes:
        nonlocal done
        done += 1
        if done % _IMAGES_A_LINE == 0 and done < total:
            say(f"{done} of {total} images written")
        return encode(path, image_id)

    return encoded


def _risky(labels: Sequence[str]) -> int:
    return sum(label in HIGH_RISK for label in labels)


def _document(made: _Made) -> dict[str, Any]:
    return {
        "folder": str(made.folder),
        "manifestSha256": made.written.digest,
        "classes": list(made.classes),
        "highRiskClasses": [name for name in made.classes if name in HIGH_RISK],
        "parts": {str(part): {"cases": len(labels), "highRisk": _risky(labels)} for part, labels in made.parts.items()},
        "clinics": dict(made.clinics),
        "leftOut": list(made.left_out),
    }


def _lines(made: _Made) -> Iterator[str]:
    yield f"wrote {made.folder}"
    for part, labels in made.parts.items():
        yield f"  {part:<12} {len(labels)} cases, of which {_risky(labels)} high-risk"
    yield f"  {'clinics':<12} {', '.join(f'{name} {count}' for name, count in made.clinics.items())}"
    yield f"  {'classes':<12} {', '.join(name + '*' * (name in HIGH_RISK) for name in made.classes)}"
    yield from (f"  left out: {note}" for note in made.left_out)
    yield "next, copy it to the hub's object store with any S3 client, such as"
    yield f"  mc mirror {shlex.quote(str(made.folder))} STORE/BUCKET/test-sets/NAME"
    yield "and name it in the FederatedModel:"
    yield "  testSet:"
    yield "    prefix: test-sets/NAME"
    yield f"    manifestSha256: {made.written.digest}"
