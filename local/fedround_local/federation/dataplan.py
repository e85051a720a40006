"""From one folder of images to a clinic's folder each, and the hub's multi-site test set.

A fifth of each clinic's patients is set aside for the hub, as sites would give a test set under a consent of its own.
Called when a federation is set up; the same folder and seed give the same division.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fedround_local.errors import DataUnusable
from fedround_local.federation import layout
from fedround_local.federation.layout import Layout
from fedround_local.processes import Report
from fedround_training.data.cases import Case
from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.clinic_folder import write_clinic_folder
from fedround_training.data.errors import DataError
from fedround_training.data.heldout import classes_of, contributions
from fedround_training.data.images import without_metadata
from fedround_training.data.splits import deal, set_aside, split_by_column
from fedround_training.data.testset import write_test_set
from fedround_training.data.vocabulary import HIGH_RISK


@dataclass(frozen=True)
class DataRequest:
    """What the user asks for."""

    folder: Path
    clinics: int
    split_by: str | None
    seed: int


@dataclass(frozen=True)
class DataPlan:
    """How the data were divided."""

    clinics: Mapping[str, int]
    classes: tuple[str, ...]
    high_risk_classes: tuple[str, ...]
    test_cases: int
    test_set_digest: str
    notes: tuple[str, ...]


def lay_out(request: DataRequest, place: Layout, report: Report) -> DataPlan:
    """Write each clinic's folder and the test set.

    Raises:
        DataUnusable: one sentence on what is wrong with the folder.
    """
    try:
        return _lay_out(request, place, report)
    except DataError as error:
        raise DataUnusable(str(error)) from error


def _lay_out(request: DataRequest, place: Layout, report: Report) -> DataPlan:
    catalogue = read_catalogue(request.folder)
    classes = classes_of(catalogue)
    shares = _shares(catalogue.cases, request)
    kept: dict[str, Sequence[Case]] = {}
    aside: dict[str, Sequence[Case]] = {}
    for name, cases in shares.items():
        kept[name], aside[name] = set_aside(cases, request.seed)
    report(f"writing {sum(map(len, kept.values()))} cases to {len(kept)} clinics")
    for name, cases in kept.items():
        write_clinic_folder(place.volume(layout.local_namespace(name), layout.IMAGES_CLAIM), cases)
    report(f"writing the hub's test set of {sum(map(len, aside.values()))} cases")
    folder = place.volume(layout.NETWORK_NAMESPACE, layout.TEST_SET_CLAIM)
    written = write_test_set(folder, contributions(aside, request.seed), classes, without_metadata)
    unreadable = [f"{len(written.quarantined)} images of the test set could not be decoded and were left out"]
    return DataPlan(
        clinics={name: len(cases) for name, cases in kept.items()},
        classes=classes,
        high_risk_classes=tuple(name for name in classes if name in HIGH_RISK),
        test_cases=sum(map(len, aside.values())) - len(written.quarantined),
        test_set_digest=written.digest,
        notes=(*catalogue.summary(), *(unreadable if written.quarantined else [])),
    )


def _shares(cases: Sequence[Case], request: DataRequest) -> Mapping[str, Sequence[Case]]:
    if request.split_by:
        return split_by_column(cases, request.split_by, request.clinics)
    return deal(cases, request.clinics, request.seed)
