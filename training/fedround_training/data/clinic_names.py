"""Names for clinics that are DNS-1123 labels, made from the values of a column or from a fixed list of words.

Pure; called by `splits`.
"""

import re
import unicodedata
from collections.abc import Collection

UNSPECIFIED = "unspecified"

#: A clinic's name stands in namespaces, Job names and certificates beside other words, in labels of at most 63.
LONGEST_NAME = 30

_WORDS = ("north", "south", "east", "west", "harbour", "hill", "lake", "river")


def clinic_name(value: str, taken: Collection[str]) -> str:
    """A label for a column's value, unlike all that are taken: 'vidir_modern' becomes `vidir-modern`."""
    ascii_value = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", ascii_value).strip("-")[:LONGEST_NAME].rstrip("-")
    if not name:
        name = "other" if value.strip() else UNSPECIFIED
    unique, number = name, 1
    while unique in taken:
        number += 1
        suffix = f"-{number}"
        unique = name[: LONGEST_NAME - len(suffix)].rstrip("-") + suffix
    return unique


def numbered_name(seat: int) -> str:
    """The name of the n-th clinic, from 0: north, south, … and after the words `clinic-9`, `clinic-10`, …"""
    return _WORDS[seat] if seat < len(_WORDS) else f"clinic-{seat + 1}"
