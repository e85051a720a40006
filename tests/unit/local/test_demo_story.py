"""What the demo says of a round, and when it says that a round came to something else than it should."""

import pytest

from fedround_api.kinds import FederatedRound
from fedround_api.kinds.federated_round import VerdictResult
from fedround_local.demo.rounds import RoundResult, result_of, surprise
from fedround_local.demo.story import Step, explanations
from support.hub_builders import make_round

PROMOTE, ROLL_BACK = VerdictResult.PROMOTE, VerdictResult.ROLL_BACK


def ended(result: VerdictResult = PROMOTE, *, release: bool = False) -> RoundResult:
    """A round that was judged."""
    round_ = FederatedRound.model_validate(make_round().judged().seen().round.dump())
    assert round_.status.verdict is not None
    verdict = round_.status.verdict.model_copy(update={"result": result, "release": release})
    status = round_.status.model_copy(update={"verdict": verdict})
    return result_of(round_.model_copy(update={"status": status}), 12.0)


def failed() -> RoundResult:
    return result_of(FederatedRound.model_validate(make_round().training().seen().round.dump()), 12.0)


@pytest.mark.parametrize(
    ("result", "release", "released_before", "wanted"),
    [
        (PROMOTE, False, False, [Step.WARMING_UP]),
        (PROMOTE, True, False, [Step.RELEASED]),
        (PROMOTE, True, True, []),
        (ROLL_BACK, False, True, [Step.ROLLED_BACK]),
        (ROLL_BACK, False, False, [Step.ROLLED_BACK]),
    ],
)
def test_a_round_is_explained_by_what_became_of_it(
    result: VerdictResult, release: bool, released_before: bool, wanted: list[Step]
) -> None:
    assert list(explanations(ended(result, release=release), released_before=released_before)) == wanted


def test_a_round_that_failed_explains_itself() -> None:
    assert list(explanations(failed(), released_before=True)) == []


def test_no_surprise_where_rounds_are_promoted_and_the_mistake_is_rolled_back() -> None:
    assert surprise([ended(), ended(release=True), ended(ROLL_BACK)]) == ""


@pytest.mark.parametrize(
    ("results", "wanted"),
    [
        ([PROMOTE, PROMOTE], "this should have been Promote, RollBack, and was Promote, Promote"),
        ([ROLL_BACK, ROLL_BACK], "this should have been Promote, RollBack, and was RollBack, RollBack"),
    ],
)
def test_a_surprise_says_what_was_expected_and_what_came(results: list[VerdictResult], wanted: str) -> None:
    assert surprise([ended(one) for one in results]).startswith(wanted)


def test_no_explanation_is_longer_than_six_lines_of_eighty_columns() -> None:
    assert [step.name for step in Step if len(step) > 6 * 74] == []
