"""Who gets which cases: clinics by a column or by dealing, a part set aside as test set, and that part in two.

Pure. Patients (or what stands for them: `Case.group`) are never divided. Every choice is made by
SHA-256 of the seed and the group's key, so it depends neither on the order of the cases nor on the Python version.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor

from fedround_training.data.cases import Case
from fedround_training.data.clinic_names import UNSPECIFIED, clinic_name, numbered_name
from fedround_training.data.errors import SplitImpossible
from fedround_training.data.vocabulary import HIGH_RISK

Cases = tuple[Case, ...]


def split_by_column(cases: Sequence[Case], column: str, clinics: int | None = None) -> dict[str, Cases]:
    """The cases of each clinic, by a column of the table; an empty cell is a value too. Largest group first.

    Without a number of clinics there is one for each value. A patient with two values goes whole to the one that most
    of the images have. Surplus groups are packed by size, the largest first, each into the clinic that is smallest at
    that moment. A clinic has the name of its largest group.
    """
    header = _header(cases, column)
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for members in _by_group(cases).values():
        values = Counter(case.attributes.get(header, "") for case in members)
        groups[min(values, key=lambda value: (-values[value], value))] += members
    ordered = sorted(groups, key=lambda value: (-len(groups[value]), value))
    clinics = len(ordered) if clinics is None else clinics
    if len(ordered) < clinics:
        shown = ", ".join(f"{value or UNSPECIFIED} ({len(groups[value])})" for value in ordered)
        raise SplitImpossible(f"column {header!r} has {len(ordered)} groups, too few for {clinics} clinics: {shown}")
    packed = [list(groups[value]) for value in ordered[: _at_least_one(clinics)]]
    for value in ordered[clinics:]:
        min(packed, key=len).extend(groups[value])
    names: list[str] = []
    for value in ordered[:clinics]:
        names.append(clinic_name(value, taken=names))
    return {name: _sorted(members) for name, members in zip(names, packed, strict=True)}


def deal(cases: Sequence[Case], clinics: int, seed: int) -> dict[str, Cases]:
    """The cases of each clinic, patients dealt like cards from a deck that is shuffled by the seed."""
    groups = _by_group(cases)
    if len(groups) < _at_least_one(clinics):
        raise SplitImpossible(f"{len(groups)} patients are too few for {clinics} clinics")
    deck = sorted(groups, key=lambda group: _draw(seed, "deal", group))
    hands = [[case for group in deck[seat::clinics] for case in groups[group]] for seat in range(clinics)]
    return {numbered_name(seat): _sorted(hand) for seat, hand in enumerate(hands)}


def set_aside(
    cases: Sequence[Case], seed: int, fraction: float = 0.2, high_risk: frozenset[str] = HIGH_RISK
) -> tuple[Cases, Cases]:
    """(kept, set aside): a fraction of a clinic's patients, of each label its share, a high-risk one if there is any.

    Of one patient nothing is set aside: the clinic would be left without a case.
    """
    # The largest offset makes the first of each rounding count upwards; high-risk patients come first, so one is
    # always taken.
    aside = _Sample("set aside", seed, fraction, 1 - fraction, high_risk)
    return _part(cases, _take(_by_group(cases), aside))


def halve(
    cases: Sequence[Case], seed: int, calibration: float = 0.4, high_risk: frozenset[str] = HIGH_RISK
) -> tuple[Cases, Cases]:
    """(gate, calibration): the patients of the hub's test set in two parts, of every label its share to each.

    Given the cases of all clinics at once, so that labels which each clinic has only once still reach both parts.
    """
    return _part(cases, _take(_by_group(cases), _Sample("calibration", seed, calibration, 0.5, high_risk)))


@dataclass(frozen=True)
class _Sample:
    """How a part of the groups is drawn. A high `offset` lets the first group of the order in."""

    purpose: str
    seed: int
    fraction: float
    offset: float
    high_risk: frozenset[str]


def _take(groups: Mapping[str, Sequence[Case]], sample: _Sample) -> frozenset[str]:
    """Every 1/fraction-th group in an order by risk, label and chance: each label gives its share, within one."""
    if not 0 < sample.fraction < 1:
        raise SplitImpossible(f"a fraction of {sample.fraction} is not between 0 and 1")
    frequency = Counter(case.label for members in groups.values() for case in members)

    def place(group: str) -> tuple[bool, str, bytes]:
        labels = {case.label for case in groups[group]}
        label = min(labels & sample.high_risk or labels, key=lambda name: (frequency[name], name))
        return label not in sample.high_risk, label, _draw(sample.seed, sample.purpose, group)

    ordered = sorted(groups, key=place)
    if len(ordered) < 2:
        return frozenset()
    # Rounded, because 6 * 0.6 + 0.4 comes out below 4 in floating point, and a step would be lost.
    steps = [floor(round(i * sample.fraction + sample.offset, 9)) for i in range(len(ordered) + 1)]
    return frozenset(group for i, group in enumerate(ordered) if steps[i + 1] > steps[i])


def _part(cases: Iterable[Case], aside: frozenset[str]) -> tuple[Cases, Cases]:
    ordered = _sorted(cases)
    return tuple(c for c in ordered if c.group not in aside), tuple(c for c in ordered if c.group in aside)


def _by_group(cases: Iterable[Case]) -> dict[str, list[Case]]:
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.group].append(case)
    return dict(groups)


def _header(cases: Sequence[Case], column: str) -> str:
    headers = list(dict.fromkeys(name for case in cases for name in case.attributes))
    for same in (str, str.casefold):
        found = [name for name in headers if same(name) == same(column)]
        if found:
            return found[0]
    raise SplitImpossible(f"there is no column {column!r} to split by; there are {', '.join(headers) or 'none'}")


def _at_least_one(clinics: int) -> int:
    if clinics < 1:
        raise SplitImpossible(f"cases cannot be split among {clinics} clinics")
    return clinics


def _draw(seed: int, purpose: str, group: str) -> bytes:
    return hashlib.sha256(f"{seed}/{purpose}/{group}".encode()).digest()


def _sorted(cases: Iterable[Case]) -> Cases:
    return tuple(sorted(cases, key=lambda case: case.image_id))
