"""What an administrator may write wrongly: the API server refuses it with a sentence that names the field.

What one object cannot know, such as an unknown model, becomes Accepted=False within two seconds. No agent and no Job is
needed for any of it.
"""

import copy
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fedround_api.kinds import find_condition
from fedround_local.federation import layout
from fedround_local.node.api import ApiError
from fedround_operator.kit.errors import Invalid
from fedround_operator.kit.resources import CLINICS, MODELS, ROUNDS, Object, Resource
from support.federation_fixture import NETWORK, Network, make_object, make_round, wait_for

pytestmark = pytest.mark.timeout(300)

DIGEST = "0a" * 32
RESOURCES = {"FederatedRound": ROUNDS, "FederatedModel": MODELS, "Clinic": CLINICS}
MISSING = object()
TWO_PLACES = {"claimName": "test-set", "prefix": "test-sets/ontario", "manifestSha256": "0a" * 32}

WORDS: tuple[Any, ...] = ("", 5, True, [])
NAMES = ("", "Skin", "skin.lesion", "-skin", "skin-", "skin lesion", "s" * 64, 5)
DURATIONS = ("", "30", "30 m", "-5m", "+5m", "0m", "05m", "1.5h", "1h30m", "30d", "m", "721h", "9999999h", "30M", 30)
NO_DECIMALS = ("", "0,05", "1e-3", ".5", "1.", "+1", "-0.05", "NaN", "Infinity", "0x1", " 0.5", "0.5 ", "50%", "half")
LONG_DECIMALS = ("0.0000000001", "1" * 30)
FRACTIONS = (*NO_DECIMALS, *LONG_DECIMALS, "1.01", 0.5, 1, True)
SWITCHES = ("yes", "true", "", 1, 0)
DIGESTS = ("", "0a", "0A" * 32, "0g" * 32, "0a" * 33, 5)


def numbers(lowest: int, highest: int) -> tuple[Any, ...]:
    """What no whole number from lowest to highest is."""
    return (lowest - 1, highest + 1, str(lowest), lowest + 0.5, True, "", [lowest], -(2**63))


WRONG: dict[str, dict[str, tuple[Any, ...]]] = {
    "FederatedRound": {
        "spec": (MISSING, [], "fast"),
        "spec.modelRef": (MISSING, "skin-lesion", [], {}),
        "spec.modelRef.name": (MISSING, *NAMES),
        "spec.clinics": (MISSING, "all", [], {}),
        "spec.clinics.minimum": (MISSING, *numbers(1, 100)),
        "spec.clinics.selector": ("all", []),
        "spec.clinics.selector.matchLabels": ("region=ontario", [], {f"label-{one}": "x" for one in range(9)}),
        "spec.clinics.selector.matchLabels.region": (5, True, "x" * 64, ["ontario"]),
        "spec.deadlines": ("8h", []),
        "spec.deadlines.start": DURATIONS,
        "spec.deadlines.training": DURATIONS,
        "spec.deadlines.session": DURATIONS,
        "spec.deadlines.validation": DURATIONS,
        "spec.training": ("fast", []),
        "spec.training.algorithm": (*WORDS, "FedSGD", "fedavg"),
        "spec.training.epochs": numbers(1, 100),
        "spec.training.batchSize": numbers(1, 4096),
        "spec.training.learningRate": (*NO_DECIMALS, *LONG_DECIMALS, "0", "0.0", "10.01", 0.05, 1, True),
        "spec.training.momentum": (*NO_DECIMALS, *LONG_DECIMALS, "1", "0.9991", 0.9, True),
        "spec.training.seed": numbers(0, 2**31 - 1),
        "spec.training.cases": ("all", []),
        "spec.training.cases.windowDays": numbers(1, 36500),
        "spec.training.cases.by": (*WORDS, "LastVisit"),
        "spec.aggregation": ("mean", []),
        "spec.aggregation.weighting": (*WORDS, "Equal"),
        "spec.aggregation.maxCaseVolume": numbers(1, 10_000_000),
        "spec.suspend": SWITCHES,
        "spec.cancel": SWITCHES,
    },
    "FederatedModel": {
        "spec": (MISSING, [], "skin"),
        "spec.architecture": (*WORDS, "resnet"),
        "spec.classes": (MISSING, [], ["nv"], ["nv", "mel", "nv"], "nv", [f"c{one}" for one in range(33)]),
        "spec.classes[0]": ("", "n v", "-nv", "n" * 33, 5, ["nv"]),
        "spec.highRiskClasses": (MISSING, [], ["mel", "mel"], ["scc"], ["nv", "mel", "bkl"], "mel"),
        "spec.highRiskClasses[0]": ("", "m el", "m" * 33, 5),
        "spec.imageSize": (*numbers(32, 512), 33, 72),
        "spec.seed": numbers(0, 2**31 - 1),
        "spec.testSet": (MISSING, "test-set", [], {}, {"manifestSha256": "0a" * 32}, TWO_PLACES),
        "spec.testSet.claimName": NAMES,
        "spec.testSet.prefix": ("", "elsewhere/ontario", "test-sets/", "test-sets/../clinics", "test-sets/a//b", 7),
        "spec.testSet.manifestSha256": (MISSING, *DIGESTS),
        "spec.gate": ("Strict", []),
        "spec.gate.rule": (*WORDS, "Lax"),
        "spec.gate.targetSpecificity": FRACTIONS,
        "spec.gate.anchor": FRACTIONS,
        "spec.gate.floors": ("high", []),
        "spec.gate.floors.sensitivity": FRACTIONS,
        "spec.gate.floors.specificity": FRACTIONS,
        "spec.gate.floors.auroc": FRACTIONS,
        "spec.gate.maxDrop": ("low", []),
        "spec.gate.maxDrop.specificity": FRACTIONS,
        "spec.gate.maxDrop.auroc": FRACTIONS,
    },
    "Clinic": {
        "spec": ([], "open"),
        "spec.suspended": SWITCHES,
    },
}
UNKNOWN = {
    "FederatedRound": (
        "spec.privacy",
        "spec.clinic",
        "spec.modelRef.version",
        "spec.clinics.maximum",
        "spec.clinics.selector.matchExpressions",
        "spec.deadlines.trainin",
        "spec.training.epoch",
        "spec.training.learningrate",
        "spec.training.cases.window",
        "spec.aggregation.secure",
        "specs",
    ),
    "FederatedModel": (
        "spec.model",
        "spec.highRisk",
        "spec.testSet.claim",
        "spec.gate.floor",
        "spec.gate.floors.f1",
        "spec.gate.maxDrop.sensitivity",
    ),
    "Clinic": ("spec.suspend", "spec.region"),
}
LONGEST_NAME = {"FederatedRound": 40, "FederatedModel": 40, "Clinic": 30}


def valid(kind: str) -> Object:
    """A complete, valid object with every field that people write."""
    if kind == "FederatedRound":
        made = make_round("wrong", layout.MODEL, suspend=False, cancel=False)
        made["spec"]["clinics"]["selector"] = {"matchLabels": {"region": "ontario"}}
        return made
    if kind == "Clinic":
        return make_object("Clinic", "wrong", {"suspended": False})
    gate = {
        "rule": "Strict",
        "targetSpecificity": "0.8",
        "anchor": "0.03",
        "floors": {"sensitivity": "0.7", "specificity": "0.5", "auroc": "0.7"},
        "maxDrop": {"specificity": "0.05", "auroc": "0.02"},
    }
    test_set = {"claimName": "test-set", "manifestSha256": DIGEST}
    lists = {"classes": ["nv", "mel", "bkl"], "highRiskClasses": ["mel"]}
    return make_object(
        "FederatedModel", "wrong", {**lists, "imageSize": 64, "seed": 1, "testSet": test_set, "gate": gate}
    )


def changed(document: Object, path: str, value: Any) -> Object:
    """The object with one field replaced or left out; ``[0]`` stands for an item of a list."""
    made = copy.deepcopy(document)
    *above, last = [int(step) if step.isdigit() else step for step in re.findall(r"[A-Za-z0-9]+", path)]
    place: Any = made
    for step in above:
        place = place[step]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return made


def refusal(network: Network, kind: str, document: Object) -> str | None:
    """What the API server says to a strict creation, as kubectl asks for it; nothing where it would accept."""
    path = f"{RESOURCES[kind].path(NETWORK)}?fieldValidation=Strict&dryRun=All"
    try:
        network.watching.create(path, document)
    except ApiError as error:
        if error.status not in (400, 422):
            raise
        return str(error)
    return None


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Every sentence once, in a file that a person can read."""
    said: list[str] = []
    yield said
    path = tmp_path_factory.mktemp("refusals") / "refusals.txt"
    path.write_text("\n".join(said) + "\n")
    print(f"{len(said)} refusals are in {path}")


@pytest.mark.parametrize("kind", RESOURCES)
def test_the_object_that_the_tests_spoil_is_valid(network: Network, kind: str) -> None:
    assert refusal(network, kind, valid(kind)) is None


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in WRONG.items() for path in paths])
def test_a_wrong_value_is_refused_with_a_sentence_that_names_the_field(
    network: Network, refusals: list[str], kind: str, path: str
) -> None:
    accepted, nameless = [], []
    for value in WRONG[kind][path]:
        shown = "(missing)" if value is MISSING else repr(value)
        said = refusal(network, kind, changed(valid(kind), path, value))
        refusals.append(f"{kind} {path} = {shown[:80]}\n    {said}")
        if said is None:
            accepted.append(shown)
        elif path not in said:
            nameless.append(f"{shown}: {said}")
    assert not accepted
    assert not nameless


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in UNKNOWN.items() for path in paths])
def test_an_unknown_field_is_refused_by_its_name(network: Network, refusals: list[str], kind: str, path: str) -> None:
    said = refusal(network, kind, changed(valid(kind), path, {"a": "b"}))
    refusals.append(f"{kind} {path} (unknown)\n    {said}")
    assert said is not None
    assert f'unknown field "{path}"' in said


@pytest.mark.parametrize("kind", RESOURCES)
def test_a_bad_name_is_refused(network: Network, refusals: list[str], kind: str) -> None:
    for name in ("", "Round", "a.b", "-a", "a-", "a_b", "a" * (LONGEST_NAME[kind] + 1), "a" * 300, "ä"):
        document = valid(kind)
        document["metadata"]["name"] = name
        said = refusal(network, kind, document)
        refusals.append(f"{kind} metadata.name = {name[:80]!r}\n    {said}")
        assert said is not None, name
        assert "metadata.name" in said or "name or generateName is required" in said, said
    document["metadata"]["name"] = "a" * LONGEST_NAME[kind]
    assert refusal(network, kind, document) is None


def test_what_several_fields_do_wrong_is_said_of_each(network: Network) -> None:
    document = changed(changed(valid("FederatedRound"), "spec.training.epochs", 0), "spec.training.seed", -1)
    said = refusal(network, "FederatedRound", document)
    assert said is not None
    assert "spec.training.epochs" in said
    assert "spec.training.seed" in said


# --- as an administrator meets it


@pytest.mark.parametrize(
    ("path", "value"),
    [("spec.training.epoch", 2), ("spec.training.learningRate", "0,05"), ("spec.clinics.minimum", 0)],
)
def test_kubectl_apply_says_which_field_is_wrong_and_stores_nothing(network: Network, path: str, value: Any) -> None:
    given = yaml.safe_dump(changed(valid("FederatedRound"), path, value))
    done = network.try_kubectl("apply", "-f", "-", given=given)
    assert done.returncode == 1
    assert path in done.stderr
    assert network.try_kubectl("get", "fr", "wrong", "-n", NETWORK).returncode == 1


# --- what exists and may not change

CHANGES: dict[str, dict[str, Any]] = {
    "modelRef": {"name": "another"},
    "clinics": {"minimum": 2},
    "deadlines": {"training": "9h"},
    "training": {"seed": 8},
    "aggregation": {"maxCaseVolume": 5},
}
MODEL_CHANGES: dict[str, Any] = {
    "classes": ["nv", "mel", "bkl", "scc"],
    "highRiskClasses": ["bkl"],
    "imageSize": 96,
    "seed": 2,
}


@pytest.fixture(scope="module")
def waiting(network: Network) -> Iterator[str]:
    """A round that cannot start: it is there to be changed."""
    network.start_round("unchangeable", "no-such-model", aggregation={"maxCaseVolume": 9})
    yield "unchangeable"
    network.api.delete(ROUNDS, NETWORK, "unchangeable")


def refused_change(network: Network, resource: Resource, name: str, spec: Object) -> str:
    with pytest.raises(Invalid) as refused:
        network.api.patch(resource, NETWORK, name, {"spec": spec})
    return str(refused.value)


@pytest.mark.parametrize("field", CHANGES)
def test_a_rounds_spec_cannot_be_changed(network: Network, refusals: list[str], waiting: str, field: str) -> None:
    for change in (CHANGES[field], None):
        said = refused_change(network, ROUNDS, waiting, {field: change})
        refusals.append(f"FederatedRound {field} changed to {change}\n    {said}")
        assert f"spec.{field}" in said


def test_a_cancelled_round_stays_cancelled_and_a_suspended_one_goes_on(network: Network, refusals: list[str]) -> None:
    network.start_round("once-cancelled", "no-such-model", suspend=True)
    network.change_round("once-cancelled", suspend=False)
    network.change_round("once-cancelled", cancel=True)
    said = refused_change(network, ROUNDS, "once-cancelled", {"cancel": False})
    refusals.append(f"FederatedRound cancel taken back\n    {said}")
    assert "spec.cancel" in said
    network.api.delete(ROUNDS, NETWORK, "once-cancelled")


def test_a_round_that_says_only_what_it_must_shows_its_defaults_and_can_be_suspended(network: Network) -> None:
    least = {"modelRef": {"name": "no-such-model"}, "clinics": {"minimum": 3}}
    network.api.create(ROUNDS, NETWORK, make_object("FederatedRound", "least", least))
    network.change_round("least", suspend=True)
    network.change_round("least", cancel=True)
    spec = network.api.get(ROUNDS, NETWORK, "least")["spec"]
    network.api.delete(ROUNDS, NETWORK, "least")
    assert spec["deadlines"] == {"start": "30m", "training": "8h", "session": "15m", "validation": "30m"}
    assert spec["training"]["cases"] == {"windowDays": 90, "by": "FirstVisit"}
    assert spec["training"]["learningRate"] == "0.05"
    assert spec["aggregation"] == {"weighting": "CaseVolume", "maxCaseVolume": 10000}


@pytest.mark.parametrize("field", MODEL_CHANGES)
def test_a_models_shape_cannot_be_changed(network: Network, refusals: list[str], field: str) -> None:
    said = refused_change(network, MODELS, layout.MODEL, {field: MODEL_CHANGES[field]})
    refusals.append(f"FederatedModel {field} changed\n    {said}")
    assert f"spec.{field}" in said


# --- what one object cannot know


@pytest.mark.parametrize(
    ("name", "spec", "want_reason", "want_words"),
    [
        ("no-model", {"model": "no-such-model"}, "ModelNotFound", ("'no-such-model'",)),
        (
            "no-clinics",
            {"model": layout.MODEL, "clinics": {"minimum": 99}},
            "TooFewClinics",
            ("spec.clinics.minimum is 99", "3 clinics match"),
        ),
    ],
)
def test_an_impossible_request_is_not_accepted_within_two_seconds(
    network: Network, name: str, spec: dict[str, Any], want_reason: str, want_words: tuple[str, ...]
) -> None:
    network.start_round(name, **spec)
    begun = time.monotonic()
    accepted = wait_for(lambda: find_condition(network.round(name).status.conditions, "Accepted"), "Accepted is set")
    seconds = time.monotonic() - begun
    print(f"{want_reason} after {seconds:.2f} s: {accepted.message}")
    assert (accepted.status, accepted.reason) == ("False", want_reason)
    assert all(words in accepted.message for words in want_words)
    assert accepted.observed_generation == 1
    assert seconds < 2
    network.api.delete(ROUNDS, NETWORK, name)
