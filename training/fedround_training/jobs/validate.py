"""`validate` judges the candidate on the hub's test set and publishes it where the gate promotes it. A hub Job.

It does the reading and writing around `evaluation.gate` and `reporting`. Any error ends it before anything is
published: the incumbent stays. The report is in the store before the candidate is published, so nothing is promoted
without one. With the same inputs the report has the same bytes but for the durations that it tells.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

import numpy as np

from fedround_api.jobs import STORE_VARIABLE, TEST_SET_VARIABLE, JobReport, ReleasedPoint, Role, ValidateInput
from fedround_api.kinds.federated_round import ReportDigests, VerdictResult
from fedround_api.report import PartCounts
from fedround_training.data.errors import TestSetChanged as TestSetFolderChanged
from fedround_training.data.images import load_images
from fedround_training.data.testset import HeldOutSet, Part, read_test_set
from fedround_training.errors import (
    ContentRefused,
    DataUnusable,
    InputWrong,
    NotFinite,
    TestSetChanged,
)
from fedround_training.evaluation.comparison import PartOfTestSet
from fedround_training.evaluation.errors import CasesUnusable, ScoresNotFinite
from fedround_training.evaluation.figures import Scores
from fedround_training.evaluation.gate import Judged, judge
from fedround_training.evaluation.guards import Frozen
from fedround_training.jobs.environment import read_input, volume
from fedround_training.jobs.stored_test_set import fetch_test_set
from fedround_training.models.checkpoint import Tensors, read_checkpoint, size_limit
from fedround_training.models.registry import build_with, run_reproducibly
from fedround_training.models.scoring import probabilities
from fedround_training.models.shapes import shapes_of
from fedround_training.reporting.build import Evaluation, ScoredPart, build, document_of
from fedround_training.reporting.page import render
from fedround_training.store.minio_store import open_store
from fedround_training.store.objects import ObjectStore

log = logging.getLogger(__name__)


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, ValidateInput)
    store = open_store(given.store, volume(environ, STORE_VARIABLE))
    if given.test_set_prefix is None:
        return validate(given, store, volume(environ, TEST_SET_VARIABLE))
    with tempfile.TemporaryDirectory(prefix="test-set-") as folder:
        fetch_test_set(given.test_set_prefix, given.test_set_manifest, store, Path(folder))
        return validate(given, store, Path(folder))


def _utc_now() -> datetime:
    return datetime.now(UTC)


def validate(
    given: ValidateInput, store: ObjectStore, test_set_folder: Path, now: Callable[[], datetime] = _utc_now
) -> JobReport:
    """The verdict, its report in the store, and the candidate under its published key if it is promoted."""
    began = now()
    run_reproducibly()
    test_set = _test_set(given, test_set_folder)
    with tempfile.TemporaryDirectory(prefix="validate-") as scratch:
        candidate_path = Path(scratch, "candidate.safetensors")
        candidate = _weights(given, store, "candidate", candidate_path)
        incumbent = _weights(given, store, "incumbent", Path(scratch, "incumbent.safetensors"))
        calibration = _scored(given, test_set, Part.CALIBRATION, candidate, incumbent)
        gate = _scored(given, test_set, Part.GATE, candidate, incumbent)
        judged = _judge(given, test_set.digest, calibration.part, gate.part)
        report = _save_report(given, store, Evaluation(judged, gate, _counts(calibration.part), began, now()))
        verdict = judged.verdict
        if verdict.result is VerdictResult.PROMOTE:
            store.put(given.published_key, candidate_path)
    log.info("judged result=%s reason=%s", verdict.result, verdict.reason)
    return JobReport(role=Role.VALIDATE, digest=given.candidate_digest, verdict=verdict, report=report)


def _test_set(given: ValidateInput, folder: Path) -> HeldOutSet:
    if given.released is not None and given.released.test_set_manifest != given.test_set_manifest:
        raise TestSetChanged(
            "the model names another test set than the one that its threshold was set on: "
            "put the old one back, or make a new model"
        )
    try:
        test_set = read_test_set(folder, given.test_set_manifest)
    except TestSetFolderChanged as error:
        raise TestSetChanged(str(error)) from error
    unknown = sorted({case.label for case in test_set.cases} - set(given.model.classes))
    if unknown:
        raise DataUnusable(f"the test set has labels that are no classes of the model: {', '.join(unknown[:8])}")
    return test_set


def _weights(given: ValidateInput, store: ObjectStore, name: str, path: Path) -> Tensors:
    key, digest = (
        (given.candidate_key, given.candidate_digest)
        if name == "candidate"
        else (given.incumbent.key, given.incumbent.digest)
    )
    shapes = shapes_of(given.model)
    limit_bytes = size_limit(shapes)
    try:
        store.get(key, path, limit_bytes)
        return read_checkpoint(path, digest, limit_bytes, shapes)
    except ContentRefused as error:
        raise type(error)(f"the {name}: {error}") from error


def _judge(given: ValidateInput, manifest: str, calibration: PartOfTestSet, gate: PartOfTestSet) -> Judged:
    released = None if given.released is None else _frozen(given.released)
    try:
        return judge(calibration, gate, given.gate, released, manifest)
    except ScoresNotFinite as error:
        raise NotFinite(str(error)) from error
    except CasesUnusable as error:
        raise DataUnusable(str(error)) from error


def _scored(
    given: ValidateInput, test_set: HeldOutSet, part: Part, candidate: Tensors, incumbent: Tensors
) -> ScoredPart:
    """One part at a time: all its images in memory, then two passes over them."""
    images = load_images(test_set.part(part), given.model.image_size)
    if images.quarantined:
        raise DataUnusable(f"{len(images.quarantined)} images of the test set's {part} part cannot be read")
    high_risk_classes = [name in given.model.high_risk_classes for name in given.model.classes]

    def score(tensors: Tensors) -> Scores:
        values: Scores = probabilities(build_with(given.model, tensors), images.pixels)[:, high_risk_classes].sum(
            axis=1
        )
        return values

    labels = [case.label for case in images.cases]
    high_risk = np.array([label in given.model.high_risk_classes for label in labels], np.bool_)
    scored = PartOfTestSet(high_risk, score(candidate), score(incumbent))
    return ScoredPart(scored, labels, [case.clinic for case in images.cases])


def _counts(part: PartOfTestSet) -> PartCounts:
    return PartCounts(cases=len(part.high_risk), high_risk_cases=int(part.high_risk.sum()))


def _frozen(released: ReleasedPoint) -> Frozen:
    try:
        threshold, best = Decimal(released.threshold), Fraction(released.best_sensitivity)
    except (InvalidOperation, ValueError) as error:
        raise InputWrong("the released operating point is no pair of numbers") from error
    if not threshold.is_finite() or not 0 <= best <= 1:
        raise InputWrong("the released operating point is out of range")
    return Frozen(released.threshold, best)


def _save_report(given: ValidateInput, store: ObjectStore, found: Evaluation) -> ReportDigests:
    """Both files of the report, made before either is stored."""
    report = build(given, found)
    document, page = document_of(report), render(report)
    store.put_text(given.report_key, document)
    store.put_text(given.report_page_key, page, "text/html; charset=utf-8")
    return ReportDigests(json_sha256=_sha256(document), html_sha256=_sha256(page))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
