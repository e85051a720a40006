"""What the demo tells beside its progress: what happens at each step, and what would happen in a real network. Pure."""

from collections.abc import Iterator
from enum import StrEnum

from fedround_api.kinds.federated_round import VerdictResult
from fedround_local.demo.rounds import RoundResult


class Step(StrEnum):
    """The steps that are explained, each once."""

    SETTING_UP = (
        "A hub and its clinics, as processes on this machine. In a real network each is a Kubernetes cluster of its "
        "own: a clinic joins with one Helm release and one outbound connection, and its images stay on its own volume."
    )
    FIRST_ROUND = (
        "A round is an object: this is `kubectl apply -f round.yaml` on the hub. Each clinic's agent sees it and "
        "starts three Jobs at home: fetch the checkpoint, train on the clinic's own images, submit an update of "
        "0.8 MB. The hub averages the updates and judges the result on a test set of all clinics. In a real network "
        "training takes hours, and a round goes on without a clinic that is not ready by the deadline."
    )
    WARMING_UP = (
        "No version is in use yet: until one meets the floors for sensitivity, specificity and AUROC, a candidate is "
        "kept if it ranks the test cases no worse than the one before."
    )
    RELEASED = (
        "The first version that clinics may use for patients. Its threshold is frozen now: from here on a candidate "
        "has to catch at least as many high-risk lesions of the same test set at the same threshold."
    )
    MISTAKE = (
        "Now something goes wrong, on purpose: in {clinic} an export has swapped the labels of high-risk and benign "
        "lesions, and its policy declares {declared} cases, so that its update outweighs all others. Nothing in an "
        "update gives this away, and with secure aggregation the hub would not even see it alone. In a real network it "
        "would be a wrong column in a table, a broken camera, or somebody who means harm."
    )
    ROLLED_BACK = (
        "The candidate is not promoted. The pointer and the digest that clinics load are those of before the round; in "
        "a real network nobody's work is interrupted, and the next round starts from the same checkpoint. "
        "The report names the high-risk cases lost, not the clinic: who it was has to be found by asking."
    )
    UNDONE = "The labels and the policy of {clinic} are as they were before the mistake."


def explanations(result: RoundResult, *, released_before: bool) -> Iterator[Step]:
    """What there is to say of a round that has ended; nothing of one that failed, which says it itself."""
    if result.verdict is None:
        return
    if result.verdict.result is VerdictResult.ROLL_BACK:
        yield Step.ROLLED_BACK
    elif result.verdict.release and not released_before:
        yield Step.RELEASED
    elif not result.verdict.release:
        yield Step.WARMING_UP
