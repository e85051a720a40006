"""What a round's status says about the lock that trainers take, for somebody who was not there."""

from fedround_api.kinds import find_condition
from support.builders import UPDATE_DIGEST
from support.hub_builders import FAILED, SUBMITTED, make_round, need_condition, outcome

CONDITION = "TrainingLockedIn"


def test_before_an_update_is_there_nothing_is_said() -> None:
    decision = make_round(clinics=3).training().clinic("north", FAILED).decide()

    assert find_condition(decision.status.conditions, CONDITION) is None


def test_where_every_update_was_trained_locked_in_the_round_says_so() -> None:
    decision = make_round(clinics=2).training().clinic("east", SUBMITTED).clinic("north", SUBMITTED).decide()

    assert outcome(decision, CONDITION) == ("True", "LockedIn")
    assert [one.locked for one in decision.status.participants] == [["Files", "Network"], ["Files", "Network"]]


def test_each_clinic_that_trained_without_a_part_of_the_lock_is_named_with_what_was_open() -> None:
    built = make_round(clinics=4).training().clinic("east", SUBMITTED)
    built.clinic("north", SUBMITTED, locked=["Network"]).clinic("south", SUBMITTED, locked=[])

    decision = built.decide()

    assert outcome(decision, CONDITION) == ("False", "NotLockedIn")
    assert need_condition(decision, CONDITION).message == (
        "north: the trainer could open files outside its volumes and its program; "
        "south: the trainer could open sockets and reach into other processes, and open files outside its volumes and "
        "its program. The policy of each allows that."
    )


def test_a_clinic_whose_agent_says_nothing_of_a_lock_counts_as_one_without() -> None:
    built = make_round(clinics=2).aggregating()

    assert outcome(built.decide(), CONDITION) == ("False", "NotLockedIn")


def test_a_clinic_that_failed_is_not_counted() -> None:
    built = make_round(clinics=3).training().clinic("east", SUBMITTED).clinic("north", FAILED)

    assert outcome(built.decide(), CONDITION) == ("True", "LockedIn")


def test_the_message_for_many_clinics_fits_into_a_condition() -> None:
    taken = {"caseVolume": 1, "state": "Submitted", "updateDigest": UPDATE_DIGEST, "updateBytes": 770_100, "locked": []}
    built = make_round().aggregating()
    built.status(participants=[{"name": f"clinic-with-the-longest-name-{n}", **taken} for n in range(9)])

    message = need_condition(built.decide(), CONDITION).message

    assert message.endswith("; and 4 more. The policy of each allows that.")
    assert len(message) < 1024


def test_what_was_said_stays_when_the_round_has_ended() -> None:
    built = make_round(clinics=2, minimum=2).training().clinic("east", SUBMITTED, locked=["Files"]).then()

    ended = built.clinic("north", FAILED).decide()

    assert ended.status.completed_at is not None
    assert outcome(ended, CONDITION) == ("False", "NotLockedIn")
