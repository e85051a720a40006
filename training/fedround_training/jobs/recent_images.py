"""A clinic's recent cases as pixels and class indices: from the folder of images and the round's window to what is
trained on.

Called by `train`. File names, cells and counts by class go to the log, which stays in the clinic; errors have fixed
words only. Images that cannot be read are set aside and counted by cause.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fedround_api.dataproblems import DataProblem, QuarantineCause
from fedround_api.jobs import TrainInput
from fedround_training.data.cases import Case
from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.errors import DataWrong
from fedround_training.data.first_seen import FirstSeenIndex
from fedround_training.data.image_cache import ImageCache
from fedround_training.data.images import load_images
from fedround_training.data.notes import notes
from fedround_training.data.recency import By, Window, has_dates, select_recent
from fedround_training.errors import DataUnusable, InputWrong, NoCases

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecentImages:
    """(N, S, S, 3) uint8 pixels and (N,) indices into the model's classes; how many images were set aside, by cause."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    quarantined: Mapping[QuarantineCause, int] = field(default_factory=dict)


def load_recent_images(given: TrainInput, folder: Path, first_seen: Path, cache_folder: Path) -> RecentImages:
    """The cases in the window that the model has a class for. Raises NoCases or DataUnusable."""
    cache = ImageCache(cache_folder)
    recent = _recent_cases(given, folder, first_seen)
    known = [case for case in recent if case.label in given.model.classes]
    images = load_images(known, given.model.image_size, cache)
    cache.keep_used()
    if not known:
        raise NoCases(_why_none(recent))
    for unreadable in images.quarantined:
        log.warning("set aside: %s", unreadable)
    causes = Counter(unreadable.cause for unreadable in images.quarantined)
    quarantined = {cause: causes[cause] for cause in QuarantineCause if causes[cause]}
    if not images.cases:
        raise DataUnusable(_unusable(DataProblem.NO_READABLE_IMAGE), quarantined=quarantined)
    log.info("cases recent=%d of_known_class=%d readable=%d", len(recent), len(known), len(images.cases))
    for note in notes(images.cases, given.model.classes, given.model.high_risk_classes):
        log.info("note: %s", note)
    index = {name: number for number, name in enumerate(given.model.classes)}
    labels = np.array([index[case.label] for case in images.cases], np.int64)
    return RecentImages(images.pixels, labels, quarantined)


def _recent_cases(given: TrainInput, folder: Path, first_seen: Path) -> Sequence[Case]:
    window = Window(given.training.cases.window_days, _instant(given.cases_until))
    by = By(given.training.cases.by.value)
    try:
        catalogue = read_catalogue(folder)
        index = FirstSeenIndex(first_seen)
    except DataWrong as error:
        log.error("%s", error)
        raise DataUnusable(_unusable(error.problem)) from error
    for line in catalogue.summary():
        log.info("%s", line)
    if not has_dates(catalogue.cases, by):
        index.observe((case.image_id for case in catalogue.cases), window.until)
    recent = select_recent(catalogue.cases, window, by, index.seen)
    log.info("dated by the %s, undated=%d", recent.source, recent.undated)
    return recent.cases


def _unusable(problem: DataProblem) -> str:
    return f"{problem}: {problem.advice}; the Job's log has the details"


def _why_none(recent: Sequence[Case]) -> str:
    if recent:
        return "no case in the window has one of the model's classes"
    return "no case is in the window of the round"


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputWrong("casesUntil is no instant") from error
    if instant.tzinfo is None:
        raise InputWrong("casesUntil has no time zone")
    return instant
