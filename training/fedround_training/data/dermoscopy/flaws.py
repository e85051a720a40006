"""What real folders have and should not, planted on purpose, with a list of what is where.

For practice, and for tests of the pipeline that need a ground truth: each flaw is in a file of its own.
"""

import csv
import json
import struct
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from fedround_training.data.dermoscopy.archive import IMAGES
from fedround_training.data.folders import TABLE_NAME

TRUTH_NAME = "flaws.json"
#: Each flaw has files of its own, and most images must stay whole.
FEWEST_IMAGES = 40

_SHARE, _NAMED_SHARE = 0.01, 0.05
_DESCRIPTION, _ORIENTATION, _ARTIST, _DATE_TIME, _GPS = 0x010E, 0x0112, 0x013B, 0x0132, 0x8825
_TURNED_LEFT = 6


class Flaw(StrEnum):
    """`flaws.json` lists the image ids of each."""

    NAMES_AND_PLACES = "names and places"
    SIDEWAYS = "sideways"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    CMYK = "cmyk"
    DEEP = "16-bit"
    ANIMATED = "animated"
    DUPLICATES = "duplicates"
    NO_IMAGE = "no image"


def plant_flaws(folder: Path, seed: int) -> Mapping[Flaw, tuple[str, ...]]:
    """The ids of the images with each flaw, as also written to `flaws.json`. For a folder of `write_synthetic_folder`.

    Of every flaw one image in a hundred, at least one; of names and places in the metadata, one in twenty. Duplicates
    are copies under new ids, in rows of the same patient; rows without an image have new ids, too.
    """
    with (folder / TABLE_NAME).open(newline="", encoding="utf-8") as file:
        rows = {row["image_id"]: row for row in csv.DictReader(file)}
    if len(rows) < FEWEST_IMAGES:
        raise ValueError(f"flaws need at least {FEWEST_IMAGES} images, not {len(rows)}")
    chosen = _chosen(sorted(rows), np.random.default_rng((seed, len(rows))))
    for flaw, spoil in _SPOILERS.items():
        for image_id in chosen[flaw]:
            spoil(folder / IMAGES / f"{image_id}.jpg")
    planted = {**chosen, **_add_rows(folder, rows, chosen)}
    text = json.dumps({str(flaw): list(ids) for flaw, ids in planted.items()}, indent=2)
    (folder / TRUTH_NAME).write_text(text + "\n", encoding="utf-8")
    return planted


def _chosen(ids: list[str], rng: np.random.Generator) -> dict[Flaw, tuple[str, ...]]:
    """Images for each flaw, none for two."""
    shuffled = iter([ids[place] for place in rng.permutation(len(ids))])
    shares = {flaw: _NAMED_SHARE if flaw is Flaw.NAMES_AND_PLACES else _SHARE for flaw in Flaw}
    counts = {flaw: max(1, round(len(ids) * share)) for flaw, share in shares.items()}
    return {flaw: tuple(sorted(next(shuffled) for _ in range(count))) for flaw, count in counts.items()}


def _add_rows(
    folder: Path, rows: Mapping[str, dict[str, str]], chosen: Mapping[Flaw, tuple[str, ...]]
) -> dict[Flaw, tuple[str, ...]]:
    """Rows for duplicates, whose files are copied, and for images that are not there."""
    added: dict[Flaw, tuple[str, ...]] = {}
    number = len(rows)
    with (folder / TABLE_NAME).open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for flaw in (Flaw.DUPLICATES, Flaw.NO_IMAGE):
            for original in chosen[flaw]:
                new = f"SYN_{number:07d}"
                number += 1
                writer.writerow((new, *list(rows[original].values())[1:]))
                if flaw is Flaw.DUPLICATES:
                    content = (folder / IMAGES / f"{original}.jpg").read_bytes()
                    (folder / IMAGES / f"{new}.jpg").write_bytes(content)
                added[flaw] = (*added.get(flaw, ()), new)
    return added


def _name(path: Path) -> None:
    """What a telephone writes into a photo, but the name and the place are nobody's."""
    exif = Image.Exif()
    exif[_DESCRIPTION], exif[_ARTIST] = "PATIENT NAME, born 1900-01-01", "PHOTOGRAPHER NAME"
    exif[_DATE_TIME] = "2026:01:01 12:00:00"
    exif.get_ifd(_GPS).update({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)})
    content, segment = path.read_bytes(), exif.tobytes()
    # As the first segment of the file, so that the picture is not encoded anew.
    path.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[2:])


def _turn(path: Path) -> None:
    """Stored on its side, with the tag that says so."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _TURNED_LEFT
    with Image.open(path) as image:
        turned = image.transpose(Image.Transpose.ROTATE_90)
    turned.save(path, "JPEG", quality=95, exif=exif)


def _to_cmyk(path: Path) -> None:
    with Image.open(path) as image:
        converted = image.convert("CMYK")
    converted.save(path, "JPEG", quality=90)


def _to_deep(path: Path) -> None:
    with Image.open(path) as image:
        grey = np.asarray(image.convert("L"), np.uint16) * 257
    path.unlink()
    Image.fromarray(grey).save(path.with_suffix(".png"))


def _animate(path: Path) -> None:
    with Image.open(path) as image:
        frames = [image.convert("RGB"), image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    path.unlink()
    frames[0].save(path.with_suffix(".png"), save_all=True, append_images=frames[1:], duration=200)


_SPOILERS: Mapping[Flaw, Callable[[Path], object]] = {
    Flaw.NAMES_AND_PLACES: _name,
    Flaw.SIDEWAYS: _turn,
    Flaw.EMPTY: lambda path: path.write_bytes(b""),
    Flaw.TRUNCATED: lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    Flaw.CMYK: _to_cmyk,
    Flaw.DEEP: _to_deep,
    Flaw.ANIMATED: _animate,
}
