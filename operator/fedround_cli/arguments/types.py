"""Options that several commands share, and how their values are read."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


def add_state(parser: argparse.ArgumentParser) -> None:
    """`--state DIR`, required."""
    parser.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="folder that holds the whole federation"
    )


def add_data(parser: argparse.ArgumentParser, *, clinics: int | None) -> None:
    """The options that say which images, and how they are dealt to clinics."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="ISIC-style folder: images and one CSV")
    parser.add_argument(
        "--split-by", metavar="COLUMN", help="clinics by the values of this column; else patients are dealt at random"
    )
    parser.add_argument(
        "--initial",
        type=Path,
        metavar="FILE",
        help="safetensors checkpoint that the model starts from, not fresh weights",
    )
    parser.add_argument("--clinics", type=whole_number(1, 50), default=clinics, metavar="N", help="number of clinics")
    parser.add_argument(
        "--seed",
        type=whole_number(0, 2**31 - 1001),
        default=0,
        metavar="N",
        help="seed of the split, the model and the training",
    )


def clinic_name(text: str) -> str:
    """The name of a clinic, as an argument."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a clinic: 1 to 30 of a-z, 0-9 and '-', with '-' neither first nor last"
        )
    return text
