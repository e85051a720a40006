"""One round, from `kubectl apply -f` to Promoted, as an administrator sees it, and what is left of it in the store."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedround_api import keys
from fedround_api.kinds import FederatedRound, ParticipantState, find_condition
from fedround_operator.kit.resources import MODELS, ROUNDS
from fedround_training.aggregation.weighted_mean import WeightedUpdate, save_weighted_mean
from fedround_training.models.checkpoint import HEADER_SLACK_BYTES, StoredCheckpoint, open_checkpoint
from support.federation_fixture import NETWORK, Network, make_round, message, outcome, wait_for

pytestmark = pytest.mark.timeout(600)

MODEL, ROUND = "applied", "applied-1"
GIVEN_PHASES = ["Pending", "Training", "Aggregating", "Validating", "Promoted"]


@dataclass(frozen=True)
class Applied:
    """The round that was applied, and what `kubectl get --watch` showed of it."""

    ended: FederatedRound
    watched: str


@pytest.fixture(scope="module")
def applied(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Applied:
    network.make_model(MODEL)
    file = tmp_path_factory.mktemp("applied") / "round.yaml"
    file.write_text(yaml.safe_dump(make_round(ROUND, MODEL)))
    watch = ("get", "fr", "-n", NETWORK, "--watch", "--field-selector", f"spec.modelRef.name={MODEL}")
    with (file.parent / "watched").open("w+") as output:
        watching = subprocess.Popen(network.federation.kubectl.command(*watch), stdout=output, stderr=output)
        try:
            assert network.kubectl("apply", "-f", str(file)) == f"federatedround.fedround.dev/{ROUND} created\n"
            ended = network.ended(ROUND)
            wait_for(lambda: "Promoted" in Path(output.name).read_text(), "kubectl's watch shows the end", 20)
        finally:
            watching.terminate()
            watching.wait(20)
    return Applied(ended, Path(output.name).read_text())


def test_the_round_is_promoted_with_all_clinics(applied: Applied) -> None:
    status = applied.ended.status
    assert (status.phase, status.participation) == ("Promoted", "3/3"), outcome(applied.ended)
    assert [one.state for one in status.participants] == [ParticipantState.SUBMITTED] * 3
    assert all(one.cases and one.update_digest and one.case_volume == one.cases for one in status.participants)
    assert status.attempts.dump() == {"aggregate": 1, "validate": 1}


def test_its_conditions_tell_the_whole_story(applied: Applied) -> None:
    told = {one.type: (one.status, one.reason) for one in applied.ended.status.conditions}
    verdict = applied.ended.status.verdict
    assert verdict is not None
    assert told == {
        "Accepted": ("True", "Accepted"),
        "Started": ("True", "Started"),
        "QuorumReached": ("True", "QuorumMet"),
        "Aggregated": ("True", "Completed"),
        "Validated": ("True", "Completed"),
        "Succeeded": ("True", verdict.reason),
        "UpdatesProtected": ("False", "NeitherNoisedNorMasked"),
        "TrainingLockedIn": ("True", "LockedIn"),
    }
    assert verdict.reason in ("WarmUpPassed", "Released")
    assert all(one.message and one.observed_generation == 1 for one in applied.ended.status.conditions)


def test_it_says_that_updates_are_neither_noised_nor_masked(applied: Applied) -> None:
    protected = find_condition(applied.ended.status.conditions, "UpdatesProtected")
    assert protected is not None
    assert "neither noised (no differential privacy) nor masked (no secure aggregation)" in protected.message


def test_kubectl_get_shows_it_in_one_line(network: Network, applied: Applied) -> None:
    heading, line = network.kubectl("get", "fr", ROUND, "-n", NETWORK).splitlines()
    assert heading.split() == ["NAME", "MODEL", "PHASE", "CLINICS", "VERDICT", "REASON", "AGE"]
    verdict = applied.ended.status.verdict
    assert verdict is not None
    assert line.split()[:-1] == [ROUND, MODEL, "Promoted", "3/3", "Promote", verdict.reason]


@pytest.mark.parametrize("word", ["fr", "fedrounds", "federatedround", "fm", "fedmodels", "clinic", "clinics", "cr"])
def test_kubectl_knows_the_kinds_by_their_short_names(network: Network, applied: Applied, word: str) -> None:
    done = network.try_kubectl("get", word, "-A" if word == "cr" else f"--namespace={NETWORK}")
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr
    assert "No resources found" not in done.stderr


@pytest.mark.parametrize("word", ["fr", "fedrounds", "federatedround"])
def test_kubectl_finds_one_round_by_each_of_its_kinds_names(network: Network, applied: Applied, word: str) -> None:
    done = network.try_kubectl("get", word, ROUND, f"--namespace={NETWORK}", "--output=name")
    assert (done.returncode, done.stdout) == (0, f"federatedround.fedround.dev/{ROUND}\n"), done.stderr


def test_kubectl_watch_shows_every_phase_in_order(applied: Applied) -> None:
    shown = [phase for line in applied.watched.splitlines() for phase in GIVEN_PHASES if f" {phase} " in line]
    seen = list(dict.fromkeys(shown))
    assert seen == [phase for phase in GIVEN_PHASES if phase in seen]
    assert {"Training", "Aggregating", "Validating", "Promoted"} <= set(seen), applied.watched


def test_each_change_of_phase_left_one_event(network: Network, applied: Applied) -> None:
    found = json.loads(network.kubectl("get", "events", "-n", NETWORK, "-o", "json"))["items"]
    own = [one for one in found if one["involvedObject"]["uid"] == applied.ended.metadata.uid]
    phases = sorted(one["message"].split(":")[0] for one in own)
    assert phases == sorted(set(phases)), "an event twice"
    assert {"Training", "Aggregating", "Validating", "Promoted"} <= set(phases)
    assert {one["type"] for one in own} == {"Normal"}


def test_kubectl_describe_shows_conditions_participants_and_events(network: Network, applied: Applied) -> None:
    described = network.kubectl("describe", "fr", ROUND, "-n", NETWORK)
    for words in ("NeitherNoisedNorMasked", "Update Digest", "Promoted:", "fedround-operator", *network.clinics):
        assert words in described


def test_the_model_points_to_the_candidate_which_was_published(network: Network, applied: Applied) -> None:
    model, candidate = network.model(MODEL), applied.ended.status.candidate
    assert candidate is not None
    assert model.status.current is not None
    current = model.status.current
    assert (current.version, current.round, current.digest) == (1, ROUND, candidate.digest)
    assert [one.version for one in model.status.history] == [1, 0]
    assert model.status.active_round is None
    assert model.status.evaluations == 1
    published = network.stored(keys.published_checkpoint(MODEL, candidate.digest))
    assert published is not None
    assert published == network.stored(keys.candidate(applied.ended.metadata.uid))


def test_the_aggregate_computed_again_from_the_stored_updates_has_the_same_bytes(
    network: Network, applied: Applied, tmp_path: Path
) -> None:
    status, uid = applied.ended.status, applied.ended.metadata.uid
    assert status.base is not None
    assert status.candidate is not None
    base = fetched(network, tmp_path / "base", keys.published_checkpoint(MODEL, status.base.digest), status.base.digest)
    updates = []
    for one in reversed(status.participants):
        stored = fetched(network, tmp_path / one.name, keys.update(one.name, uid), one.update_digest or "")
        updates.append(WeightedUpdate(one.name, stored, one.case_volume))
    save_weighted_mean(base, updates, tmp_path / "candidate", chunk_elements=1000)
    assert (tmp_path / "candidate").read_bytes() == network.stored(keys.candidate(uid))


def fetched(network: Network, path: Path, key: str, digest: str) -> StoredCheckpoint:
    content = network.stored(key)
    assert content is not None, key
    path.write_bytes(content)
    return open_checkpoint(path, digest, len(content) + HEADER_SLACK_BYTES)


def test_the_record_in_the_store_says_what_was_summed(network: Network, applied: Applied) -> None:
    record = json.loads(network.stored(keys.aggregate_record(applied.ended.metadata.uid)) or b"{}")
    assert [one["clinic"] for one in record["contributions"]] == network.clinics
    assert [one["weight"] for one in record["contributions"]] == [
        network.record.clinics[one] for one in network.clinics
    ]
    report = json.loads(network.stored(keys.report(applied.ended.metadata.uid)) or b"{}")
    assert report["verdict"]["result"] == "Promote"


def test_the_same_model_and_seed_give_the_same_checkpoint(applied: Applied, undisturbed: str) -> None:
    candidate = applied.ended.status.candidate
    assert candidate is not None
    assert candidate.digest == undisturbed


def test_a_checkpoint_is_published_before_the_model_points_to_it(
    network: Network, applied: Applied, undisturbed: str
) -> None:
    """Each version of the model is taken from a watch, and its checkpoint is looked for at once."""
    version = network.watching.get(f"{MODELS.path(NETWORK)}")["metadata"]["resourceVersion"]
    network.start_round("applied-2", MODEL, training=training(seed=8))
    pointers: list[tuple[int, bool]] = []
    for _, found in network.watching.watch(MODELS.path(NETWORK), version):
        current = found.get("status", {}).get("current", {})
        if found["metadata"].get("name") != MODEL or not current:
            continue
        pointers.append(
            (current["version"], network.stored(keys.published_checkpoint(MODEL, current["digest"])) is not None)
        )
        if "activeRound" not in found["status"]:
            break
    ended = network.ended("applied-2")
    print(outcome(ended), message(ended))
    assert pointers
    assert all(there for _, there in pointers)
    verdict = ended.status.verdict
    assert verdict is not None
    assert pointers[-1][0] == (2 if verdict.result == "Promote" else 1)
    assert ended.status.candidate is not None
    assert ended.status.candidate.digest != undisturbed
    assert ended.status.base is not None
    assert ended.status.base.digest == network.model(MODEL).status.history[-2].digest


def training(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = make_round("any", MODEL)["spec"]["training"]
    return {**spec, **changes}


def test_rounds_of_one_model_can_be_selected_by_field(network: Network, applied: Applied) -> None:
    shown = network.kubectl("get", "fr", "-n", NETWORK, "--field-selector", f"spec.modelRef.name={MODEL}", "-o", "name")
    assert "federatedround.fedround.dev/applied-1" in shown.splitlines()
    assert "federatedround.fedround.dev/undisturbed" not in shown.splitlines()
    assert len(network.api.list(ROUNDS, NETWORK, fields=f"spec.modelRef.name={MODEL}")) == len(shown.splitlines())
