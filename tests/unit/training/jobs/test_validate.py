"""`init` and `validate`: what is published, reported and refused, with real networks on a test set of a few images."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import Incumbent, InitInput, JobReport, ReleasedPoint, RoundFacts, ValidateInput
from fedround_api.kinds.federated_model import Floors, Gate
from fedround_api.kinds.federated_round import Base, Participant, ParticipantState, Training, VerdictResult
from fedround_api.reasons import Reason
from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.heldout import classes_of, contributions
from fedround_training.data.images import without_metadata
from fedround_training.data.testset import Contribution, Part, write_test_set
from fedround_training.errors import InputWrong, JobError, StoreRefused, TestSetChanged
from fedround_training.jobs.init import publish_first
from fedround_training.jobs.validate import validate
from fedround_training.models.checkpoint import Tensors, save_checkpoint
from fedround_training.models.local_training import Recipe, clinic_generator, train_in_place
from fedround_training.models.registry import build, tensors_of
from support.job_inputs import ADDRESS, PICKLE, SHAPE, digest_of, lesions
from support.memory_store import MemoryStore

PUBLISHED, REPORT, CANDIDATE = "published/skin/new.safetensors", "rounds/r1/report.json", "rounds/r1/candidate"
PAGE = "rounds/r1/report.html"
# Five seconds after the training of FACTS has closed.
JUDGED_AT = datetime(2026, 11, 24, 12, 20, 5, tzinfo=UTC)
FACTS = RoundFacts(
    name="w48",
    namespace="skin-network",
    uid="5a6b7c8d-0000-4000-8000-000000000001",
    started_at="2026-11-24T12:00:00Z",
    training_closed_at="2026-11-24T12:20:00Z",
    base=Base(version=3, digest="ba5e" * 16, bytes=770_100),
    participants=[Participant(name="north", state=ParticipantState.SUBMITTED, case_volume=1200)],
    training=Training(),
    max_case_volume=10_000,
    test_set_uses=1,
)


@cache
def trained(good: bool) -> Tensors:
    """A network that tells dark melanomas from light naevi, or takes each for the other."""
    dark, light = np.full((4, 32, 32, 3), 60, np.uint8), np.full((4, 32, 32, 3), 210, np.uint8)
    network = build(SHAPE, seed=1)
    labels = np.array([0] * 4 + [1] * 4 if good else [1] * 4 + [0] * 4)
    train_in_place(network, np.concatenate([dark, light]), labels, Recipe(30, 8, 0.1, 0.9), clinic_generator(0, "x"))
    return tensors_of(network)


FRESH = tensors_of(build(SHAPE, seed=0))


class Hub:
    """A store and a test set: ten images in each part, half of them melanomas."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.folder, self.test_set = folder, folder / "test-set"
        lesions(folder / "images", 20)
        cases = read_catalogue(folder / "images").cases
        parts = [Contribution("north", Part.CALIBRATION, cases[:10]), Contribution("north", Part.GATE, cases[10:])]
        self.manifest = write_test_set(self.test_set, parts, SHAPE.classes, without_metadata).digest

    def stored(self, key: str, tensors: Tensors) -> str:
        content = save_checkpoint(self.folder / "file", tensors)
        self.store.objects[key] = (self.folder / "file").read_bytes()
        return content.digest

    def given(self, candidate: Tensors, incumbent: Tensors, changes: Mapping[str, object]) -> ValidateInput:
        given = ValidateInput(
            store=ADDRESS,
            model=SHAPE,
            test_set_manifest=self.manifest,
            gate=Gate(),
            candidate_key=CANDIDATE,
            candidate_digest=self.stored(CANDIDATE, candidate),
            incumbent=Incumbent(key="published/skin/old", digest=self.stored("published/skin/old", incumbent)),
            published_key=PUBLISHED,
            round=FACTS,
            report_key=REPORT,
            report_page_key=PAGE,
        )
        return given.model_copy(update=dict(changes))

    def validate(self, candidate: Tensors, incumbent: Tensors, **changes: object) -> JobReport:
        return validate(self.given(candidate, incumbent, changes), self.store, self.test_set, lambda: JUDGED_AT)

    def released(self, threshold: str = "0.5") -> ReleasedPoint:
        return ReleasedPoint(threshold=threshold, best_sensitivity="1.000000", test_set_manifest=self.manifest)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


def test_init_publishes_what_its_seed_makes() -> None:
    store, again = MemoryStore(), MemoryStore()

    report = publish_first(InitInput(store=ADDRESS, model=SHAPE, seed=1), store)

    key = f"published/skin/{report.digest}.safetensors"
    assert digest_of(store.objects[key]) == report.digest
    assert len(store.objects[key]) == report.bytes
    assert publish_first(InitInput(store=ADDRESS, model=SHAPE, seed=1), again) == report
    assert publish_first(InitInput(store=ADDRESS, model=SHAPE, seed=2), again).digest != report.digest


def test_a_good_candidate_is_released_and_published(hub: Hub) -> None:
    verdict = hub.validate(trained(good=True), FRESH).verdict

    assert verdict is not None
    assert (verdict.result, verdict.reason, verdict.release) == (VerdictResult.PROMOTE, Reason.RELEASED, True)
    assert (verdict.incumbent.auroc, verdict.candidate.auroc) == ("0.500000", "1.000000")
    assert (verdict.cases, verdict.high_risk_cases) == (10, 5)
    assert hub.store.objects[PUBLISHED] == hub.store.objects[CANDIDATE]


def test_a_folder_divided_for_a_test_set_is_taken(hub: Hub, tmp_path: Path) -> None:
    hub.test_set = tmp_path / "made"
    catalogue = read_catalogue(tmp_path / "images")
    given = contributions({"unspecified": catalogue.cases}, seed=0)
    hub.manifest = write_test_set(hub.test_set, given, classes_of(catalogue), without_metadata).digest

    verdict = hub.validate(trained(good=True), FRESH).verdict

    assert verdict is not None
    assert (verdict.result, verdict.reason) == (VerdictResult.PROMOTE, Reason.RELEASED)
    # Of twenty images of as many patients two fifths are for the threshold.
    assert (verdict.cases, verdict.high_risk_cases) == (12, 6)


def test_a_candidate_that_loses_cases_is_rolled_back_and_not_published(hub: Hub) -> None:
    verdict = hub.validate(trained(good=False), trained(good=True), released=hub.released()).verdict

    assert verdict is not None
    assert (verdict.result, verdict.reason) == (VerdictResult.ROLL_BACK, Reason.HIGH_RISK_CASES_LOST)
    assert (verdict.lost, verdict.gained, verdict.threshold) == (5, 0, "0.5")
    assert PUBLISHED not in hub.store.objects


def test_the_report_tells_figures_and_names_no_case(hub: Hub) -> None:
    hub.validate(trained(good=True), FRESH)

    text, page = hub.store.objects[REPORT].decode(), hub.store.objects[PAGE].decode()
    report = json.loads(text)
    assert report["verdict"]["reason"] == "Released"
    assert report["testSet"]["gate"] == {"cases": 10, "highRiskCases": 5}
    assert report["testSet"]["calibration"] == {"cases": 10, "highRiskCases": 5}
    assert report["candidate"]["confusion"] == {"caught": 5, "missed": 0, "cleared": 5, "alarmed": 0}
    assert report["testSetClinics"] == [
        {
            "clinic": "north",
            "figures": {
                "candidate": report["candidate"]["confusion"],
                "incumbent": report["incumbent"]["confusion"],
                "lost": report["verdict"]["lost"],
                "gained": report["verdict"]["gained"],
            },
        }
    ]
    assert report["durations"] == {"trainingSeconds": 1200.0, "aggregationSeconds": 5.0, "validationSeconds": 0.0}
    assert "The candidate catches 5 of 5 high-risk cases and meets all floors" in page
    assert "L0" not in text + page


def test_the_digests_of_both_files_are_reported(hub: Hub) -> None:
    digests = hub.validate(trained(good=True), FRESH).report

    assert digests is not None
    assert digests.json_sha256 == hashlib.sha256(hub.store.objects[REPORT]).hexdigest()
    assert digests.html_sha256 == hashlib.sha256(hub.store.objects[PAGE]).hexdigest()
    assert hub.store.content_types == {REPORT: "application/json", PAGE: "text/html; charset=utf-8"}


def test_a_candidate_that_is_rolled_back_has_a_report_too(hub: Hub) -> None:
    digests = hub.validate(trained(good=False), trained(good=True), released=hub.released()).report

    assert digests is not None
    assert json.loads(hub.store.objects[REPORT])["verdict"]["outcome"] == (
        "The candidate is set aside: it does not take the place of version 3."
    )


def test_the_same_input_gives_the_same_bytes(hub: Hub) -> None:
    first = hub.validate(trained(good=True), FRESH)
    files = dict(hub.store.objects)

    assert hub.validate(trained(good=True), FRESH) == first
    assert hub.store.objects == files


def test_without_a_report_nothing_is_published(hub: Hub) -> None:
    """The round's facts have a start that is no instant, so its durations cannot be told."""
    facts = FACTS.model_copy(update={"started_at": "yesterday"})

    with pytest.raises(ValueError, match="yesterday"):
        hub.validate(trained(good=True), FRESH, round=facts)
    assert PUBLISHED not in hub.store.objects
    assert REPORT not in hub.store.objects


@pytest.mark.parametrize("key", [REPORT, PAGE])
def test_a_report_that_cannot_be_stored_keeps_the_incumbent(hub: Hub, key: str) -> None:
    hub.store.refused = key

    with pytest.raises(StoreRefused):
        hub.validate(trained(good=True), FRESH)
    assert PUBLISHED not in hub.store.objects


def test_a_fresh_model_is_not_released_against_itself(hub: Hub) -> None:
    verdict = hub.validate(FRESH, FRESH).verdict

    assert verdict is not None
    assert (verdict.reason, verdict.release) == (Reason.WARM_UP_PASSED, False)


def test_a_changed_image_of_the_test_set_keeps_the_incumbent(hub: Hub) -> None:
    image = next((hub.test_set / "images").iterdir())
    image.write_bytes(image.read_bytes() + b"\0")

    with pytest.raises(TestSetChanged):
        hub.validate(trained(good=True), FRESH)
    assert PUBLISHED not in hub.store.objects


def test_another_manifest_than_the_models_keeps_the_incumbent(hub: Hub) -> None:
    with pytest.raises(TestSetChanged):
        hub.validate(trained(good=True), FRESH, test_set_manifest="0" * 64)


def test_another_test_set_than_at_the_release_keeps_the_incumbent(hub: Hub) -> None:
    released = hub.released().model_copy(update={"test_set_manifest": "0" * 64})

    with pytest.raises(TestSetChanged, match="another test set"):
        hub.validate(trained(good=True), FRESH, released=released)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PICKLE, ExitCode.NOT_SAFETENSORS),
        (b"\0" * 2_000_000, ExitCode.TOO_LARGE),
    ],
)
def test_a_candidate_in_another_format_is_refused(hub: Hub, content: bytes, code: ExitCode) -> None:
    given = hub.given(trained(good=True), FRESH, {"candidate_digest": digest_of(content)})
    hub.store.objects[CANDIDATE] = content

    with pytest.raises(JobError, match="the candidate: ") as caught:
        validate(given, hub.store, hub.test_set)
    assert (caught.value.exit_code, caught.value.clinic) == (code, None)


def test_a_candidate_with_nan_is_refused(hub: Hub) -> None:
    spoiled = {**trained(good=True), "head.bias": np.array([np.nan, 0], np.float32)}

    with pytest.raises(JobError, match=r"the candidate: tensor 'head\.bias' holds NaN") as caught:
        hub.validate(spoiled, FRESH)
    assert caught.value.exit_code is ExitCode.NOT_FINITE


def test_finite_weights_that_give_infinite_scores_are_refused(hub: Hub) -> None:
    spoiled = {**trained(good=True), "head.weight": np.full((2, 128), 3e38, np.float32)}

    with pytest.raises(JobError, match="candidate gives scores that are no numbers") as caught:
        hub.validate(spoiled, FRESH)
    assert caught.value.exit_code is ExitCode.NOT_FINITE


def test_a_test_set_without_high_risk_cases_cannot_judge(hub: Hub, tmp_path: Path) -> None:
    cases = [case for case in read_catalogue(tmp_path / "images").cases if case.label == "nv"]
    parts = [Contribution("north", Part.CALIBRATION, cases[:5]), Contribution("north", Part.GATE, cases[5:])]
    hub.test_set = tmp_path / "naevi"
    hub.manifest = write_test_set(hub.test_set, parts, SHAPE.classes, without_metadata).digest

    with pytest.raises(JobError, match="needs both") as caught:
        hub.validate(trained(good=True), FRESH)
    assert caught.value.exit_code is ExitCode.BAD_DATA


@pytest.mark.parametrize("threshold", ["nan", "inf", "half", ""])
def test_a_released_threshold_that_is_no_number_is_refused(hub: Hub, threshold: str) -> None:
    with pytest.raises(InputWrong):
        hub.validate(trained(good=True), FRESH, released=hub.released(threshold))


def test_a_floor_above_the_candidate_keeps_it_unreleased(hub: Hub) -> None:
    gate = Gate(floors=Floors(sensitivity="1", specificity="1", auroc="1"))

    verdict = hub.validate(trained(good=False), trained(good=False), gate=gate).verdict

    assert verdict is not None
    assert (verdict.reason, verdict.release) == (Reason.WARM_UP_PASSED, False)
