"""`validate` judges the candidate on the hub's test set and publishes it where the gate promotes it. A hub Job.

It does the reading and writing around `evaluation.gate`. Any error ends it before anything is published: the incumbent
stays.
"""

import json
import logging
import tempfile
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

import numpy as np

from fedround_api.jobs import STORE_VARIABLE, TEST_SET_VARIABLE, JobReport, ReleasedPoint, Role, ValidateInput
from fedround_api.kinds.federated_round import Verdict, VerdictResult
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
from fedround_training.evaluation.errors import CasesUnusable, ScoresNotFinite
from fedround_training.evaluation.figures import Scores
from fedround_training.evaluation.gate import Frozen, PartOfTestSet, judge
from fedround_training.jobs.environment import read_input, volume
from fedround_training.models.checkpoint import Tensors, read_checkpoint, size_limit
from fedround_training.models.registry import build_with, run_reproducibly, shapes_of
from fedround_training.models.scoring import probabilities
from fedround_training.store.minio_store import open_store
from fedround_training.store.objects import ObjectStore

log = logging.getLogger(__name__)


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, ValidateInput)
    store = open_store(given.store, volume(environ, STORE_VARIABLE))
    return validate(given, store, volume(environ, TEST_SET_VARIABLE))


def validate(given: ValidateInput, store: ObjectStore, test_set_folder: Path) -> JobReport:
    """The verdict, and the candidate under its published key if it is promoted."""
    run_reproducibly()
    test_set = _test_set(given, test_set_folder)
    with tempfile.TemporaryDirectory(prefix="validate-") as scratch:
        candidate_path = Path(scratch, "candidate.safetensors")
        candidate = _weights(given, store, "candidate", candidate_path)
        incumbent = _weights(given, store, "incumbent", Path(scratch, "incumbent.safetensors"))
        verdict = _judge(given, test_set, candidate, incumbent)
        if verdict.result is VerdictResult.PROMOTE:
            store.put(given.published_key, candidate_path)
    store.put_text(given.report_key, _report(given, test_set, verdict))
    log.info("judged result=%s reason=%s", verdict.result, verdict.reason)
    return JobReport(role=Role.VALIDATE, digest=given.candidate_digest, verdict=verdict)


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


def _judge(given: ValidateInput, test_set: HeldOutSet, candidate: Tensors, incumbent: Tensors) -> Verdict:
    parts = {part: _scored(given, test_set, part, candidate, incumbent) for part in Part}
    released = None if given.released is None else _frozen(given.released)
    try:
        return judge(parts[Part.CALIBRATION], parts[Part.GATE], given.gate, released, test_set.digest)
    except ScoresNotFinite as error:
        raise NotFinite(str(error)) from error
    except CasesUnusable as error:
        raise DataUnusable(str(error)) from error


def _scored(
    given: ValidateInput, test_set: HeldOutSet, part: Part, candidate: Tensors, incumbent: Tensors
) -> PartOfTestSet:
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

    high_risk = np.array([case.label in given.model.high_risk_classes for case in images.cases], np.bool_)
    return PartOfTestSet(high_risk, score(candidate), score(incumbent))


def _frozen(released: ReleasedPoint) -> Frozen:
    try:
        threshold, best = Decimal(released.threshold), Fraction(released.best_sensitivity)
    except (InvalidOperation, ValueError) as error:
        raise InputWrong("the released operating point is no pair of numbers") from error
    if not threshold.is_finite() or not 0 <= best <= 1:
        raise InputWrong("the released operating point is out of range")
    return Frozen(released.threshold, best)


def _report(given: ValidateInput, test_set: HeldOutSet, verdict: Verdict) -> str:
    """The evaluation as JSON: figures and digests, nothing of a single case."""
    parts = {part.value: test_set.part(part) for part in Part}
    report = {
        "candidate": {"key": given.candidate_key, "digest": given.candidate_digest},
        "incumbent": given.incumbent.dump(),
        "gate": given.gate.dump(),
        "released": given.released.dump() if given.released else None,
        "testSet": {
            "manifest": test_set.digest,
            "parts": {
                name: {
                    "cases": len(cases),
                    "highRiskCases": sum(case.label in given.model.high_risk_classes for case in cases),
                }
                for name, cases in parts.items()
            },
        },
        "verdict": verdict.dump(),
    }
    return json.dumps(report, indent=1, sort_keys=True) + "\n"
