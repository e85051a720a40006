"""The hub's test set as a folder: images, a table, and a manifest whose digest the model object names.

    images/<id>.jpg   cases.csv   manifest.json

Written by the demo (or by an administrator's tool), read by `validate`. The manifest's digest is the sha256 of its
canonical JSON, and the manifest has the sha256 of every other file, so one digest fixes the whole set. Images are
encoded anew without metadata and patients are numbered: the hub needs to know which images belong together, not whose
they are.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fedround_training.data.cases import Case
from fedround_training.data.durable import save_durably
from fedround_training.data.errors import ImageUnreadable, SplitImpossible, TestSetChanged

MANIFEST, TABLE, IMAGES = "manifest.json", "cases.csv", "images"
_ALGORITHM = "sha256"
_FORMAT = 1
_SUFFIXES = {".jpeg": ".jpg", ".jpg": ".jpg", ".png": ".png"}


#: (path, image id) to the bytes to store; raises ImageUnreadable.
Encoder = Callable[[Path, str], bytes]


class Part(StrEnum):
    """The threshold is set on one part and judged on the other; no patient is in both."""

    CALIBRATION = "calibration"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class HeldOutCase:
    """One image of the test set. `group` is its patient's number, `clinic` where it comes from."""

    image_id: str
    path: Path
    label: str
    group: str
    clinic: str
    part: Part


@dataclass(frozen=True)
class HeldOutSet:
    """A test set whose every file was checked. `cases` in the order of their image ids."""

    digest: str
    classes: tuple[str, ...]
    cases: tuple[HeldOutCase, ...]

    def part(self, part: Part) -> tuple[HeldOutCase, ...]:
        return tuple(case for case in self.cases if case.part is part)


@dataclass(frozen=True)
class Contribution:
    """What one clinic gives to one part, under a consent of its own."""

    clinic: str
    part: Part
    cases: Sequence[Case]


@dataclass(frozen=True)
class WrittenTestSet:
    """The manifest's digest, and the images that could not be decoded and are not in the set."""

    digest: str
    quarantined: tuple[ImageUnreadable, ...]


def write_test_set(
    folder: Path, contributions: Sequence[Contribution], classes: Sequence[str], encode: Encoder
) -> WrittenTestSet:
    """Write the folder, the manifest last. The same input gives the same manifest.

    `encode` gives an image's bytes as they are to be stored (`images.without_metadata`). Raises SplitImpossible,
    before anything is written, where a patient is in both parts, an image is given twice or a label is no class.
    """
    origin = _by_image(contributions)
    numbers = _numbers(contributions)
    unknown = sorted({case.label for _, case in origin.values()}.difference(classes))
    if unknown:
        raise SplitImpossible(f"the test set's classes {', '.join(classes)} lack {', '.join(unknown)}")
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    entries: dict[str, dict[str, str]] = {}
    quarantined: list[ImageUnreadable] = []
    for image_id in sorted(origin):
        contribution, case = origin[image_id]
        try:
            content = encode(case.path, image_id)
        except ImageUnreadable as error:
            quarantined.append(error)
            continue
        file = image_id + _SUFFIXES[case.path.suffix.lower()]
        (folder / IMAGES / file).write_bytes(content)
        entries[image_id] = {
            "clinic": contribution.clinic,
            "file": file,
            "group": numbers[case.group],
            "label": case.label,
            "part": contribution.part,
            _ALGORITHM: hashlib.sha256(content).hexdigest(),
        }
    table = _table(entries)
    save_durably(folder / TABLE, table)
    manifest = _canonical(
        {
            "algorithm": _ALGORITHM,
            "classes": list(classes),
            "format": _FORMAT,
            "images": entries,
            "table": hashlib.sha256(table).hexdigest(),
        }
    )
    save_durably(folder / MANIFEST, manifest)
    return WrittenTestSet(hashlib.sha256(manifest).hexdigest(), tuple(quarantined))


@dataclass(frozen=True)
class Manifest:
    """What a manifest says that has the digest which was expected. `files` are all beside it, with their sha256."""

    classes: tuple[str, ...]
    cases: tuple[HeldOutCase, ...]
    files: Mapping[str, str]


def read_test_set(folder: Path, expected_digest: str) -> HeldOutSet:
    """The test set, every byte of it checked. Raises TestSetChanged, which names the first things that differ."""
    manifest = read_manifest(folder, expected_digest)
    _compare(folder, manifest.files)
    return HeldOutSet(expected_digest, manifest.classes, manifest.cases)


def read_manifest(folder: Path, expected_digest: str) -> Manifest:
    """The manifest in a folder, before anything beside it is looked at. Raises TestSetChanged."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError as error:
        raise TestSetChanged(folder, f"{MANIFEST} is missing") from error
    except OSError as error:
        raise TestSetChanged(folder, f"{MANIFEST} cannot be read ({error.strerror})") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected_digest:
        raise TestSetChanged(folder, f"{MANIFEST} has digest {digest}, expected {expected_digest}")
    try:
        manifest = json.loads(content)
        classes = tuple(manifest["classes"])
        cases = tuple(_case(folder, image_id, entry) for image_id, entry in sorted(manifest["images"].items()))
        wanted = {f"{IMAGES}/{entry['file']}": entry[_ALGORITHM] for entry in manifest["images"].values()}
        wanted[TABLE] = manifest["table"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TestSetChanged(folder, f"{MANIFEST} is no manifest of this format ({error!r})") from error
    shared = set.intersection(*({case.group for case in cases if case.part is part} for part in Part))
    if shared:
        raise TestSetChanged(folder, f"{len(shared)} patients are in both parts")
    return Manifest(classes, cases, wanted)


def _case(folder: Path, image_id: str, entry: Mapping[str, str]) -> HeldOutCase:
    file = entry["file"]
    if Path(file).name != file:
        raise ValueError(f"{file!r} is not the name of a file")
    part = Part(entry["part"])
    return HeldOutCase(image_id, folder / IMAGES / file, entry["label"], entry["group"], entry["clinic"], part)


def _compare(folder: Path, wanted: Mapping[str, str]) -> None:
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    missing, extra = sorted(wanted.keys() - present), sorted(present - wanted.keys())
    spoiled = [name for name in sorted(wanted.keys() & present) if _digest(folder / name) != wanted[name]]
    differences = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for names, what in ((missing, "missing"), (extra, "not in the manifest"), (spoiled, "with other content"))
        if names
    ]
    if differences:
        raise TestSetChanged(folder, "; ".join(differences))


def _digest(path: Path) -> str | None:
    """None, which no manifest names, for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, _ALGORITHM).hexdigest()
    except OSError:
        return None


def _by_image(contributions: Sequence[Contribution]) -> dict[str, tuple[Contribution, Case]]:
    origin: dict[str, tuple[Contribution, Case]] = {}
    for contribution in contributions:
        for case in contribution.cases:
            if case.image_id in origin:
                raise SplitImpossible(f"image {case.image_id!r} is in the test set twice")
            origin[case.image_id] = (contribution, case)
    return origin


def _numbers(contributions: Sequence[Contribution]) -> dict[str, str]:
    """A number for each patient, in the order of the patients' first images."""
    groups = {part: {c.group for given in contributions if given.part is part for c in given.cases} for part in Part}
    shared = set.intersection(*groups.values())
    if shared:
        raise SplitImpossible(f"{len(shared)} patients of the test set are in both parts, such as {min(shared)!r}")
    ordered = sorted((case.image_id, case.group) for given in contributions for case in given.cases)
    return {group: f"{n:06d}" for n, group in enumerate(dict.fromkeys(group for _, group in ordered), start=1)}


def _table(entries: Mapping[str, Mapping[str, str]]) -> bytes:
    """The test set in columns that `catalogue` recognises, for people who look into the folder."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image_id", "dx", "patient_id", "clinic", "part"))
    for image_id, entry in entries.items():
        writer.writerow((image_id, entry["label"], entry["group"], entry["clinic"], entry["part"]))
    return text.getvalue().encode()


def _canonical(manifest: Mapping[str, object]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
