"""A clinic's recent cases as pixels and class indices: from the folder of images and the round's window to what is
trained on.

Called by `train`. File names and counts by class go to the log, which stays in the clinic; errors carry neither.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fedround_api.jobs import TrainInput
from fedround_training.data.cases import Case
from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.errors import DataError
from fedround_training.data.first_seen import FirstSeenIndex
from fedround_training.data.images import load_images
from fedround_training.data.recency import By, Window, has_dates, select_recent
from fedround_training.errors import DataUnusable, InputWrong, NoCases

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecentImages:
    """(N, S, S, 3) uint8 pixels and (N,) indices into the model's classes."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def load_recent_images(given: TrainInput, folder: Path, first_seen: Path) -> RecentImages:
    """The cases in the window that the model has a class for. Raises NoCases or DataUnusable."""
    try:
        recent = _recent_cases(given, folder, first_seen)
        known = [case for case in recent if case.label in given.model.classes]
        if not known:
            raise NoCases(_why_none(recent))
        images = load_images(known, given.model.image_size)
    except DataError as error:
        raise DataUnusable(f"the folder of images or its table cannot be used ({type(error).__name__})") from error
    for quarantined in images.quarantined:
        log.warning("set aside: %s", quarantined)
    if not images.cases:
        raise DataUnusable("none of the images in the window can be read")
    log.info("cases recent=%d of_known_class=%d readable=%d", len(recent), len(known), len(images.cases))
    index = {name: number for number, name in enumerate(given.model.classes)}
    return RecentImages(images.pixels, np.array([index[case.label] for case in images.cases], np.int64))


def _recent_cases(given: TrainInput, folder: Path, first_seen: Path) -> Sequence[Case]:
    window = Window(given.training.cases.window_days, _instant(given.cases_until))
    by = By(given.training.cases.by.value)
    catalogue = read_catalogue(folder)
    for line in catalogue.summary():
        log.info("%s", line)
    index = FirstSeenIndex(first_seen)
    if not has_dates(catalogue.cases, by):
        index.observe((case.image_id for case in catalogue.cases), window.until)
    recent = select_recent(catalogue.cases, window, by, index.seen)
    log.info("dated by the %s, undated=%d", recent.source, recent.undated)
    return recent.cases


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
