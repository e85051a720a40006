"""The journal beside the authority: lines that stay, once each, and a line that broke off is none."""

import fcntl
import stat
import threading
from pathlib import Path

import pytest

from fedround_operator.enrolment.certificates import record_of
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.journal import Journal
from fedround_operator.enrolment.replay import Entry, What
from support.identities import Registry

NORTH = record_of(Registry().hold().certificate)


def entry(what: What = What.ISSUED, network: str = "skin-network") -> Entry:
    return Entry(at="2026-11-24T12:00:00Z", network=network, clinic="north", what=what, certificates=[NORTH])


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    (tmp_path / "ca.crt").touch()
    return Journal(tmp_path)


def test_what_was_noted_is_read_again_in_its_order_by_network(journal: Journal) -> None:
    for one in (entry(), entry(What.REVOKED, "eyes"), entry(What.REVOKED)):
        journal.add(one)

    assert journal.entries("skin-network") == [entry(), entry(What.REVOKED)]
    assert journal.entries("eyes") == [entry(What.REVOKED, "eyes")]


def test_it_is_for_its_owner_only(journal: Journal) -> None:
    journal.add(entry())

    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_what_is_done_again_is_not_noted_again(journal: Journal) -> None:
    journal.add(entry())
    journal.add(entry(What.REVOKED, "eyes"))
    journal.add(entry().model_copy(update={"at": "2026-11-25T12:00:00Z"}))

    assert journal.entries("skin-network") == [entry()]


def test_other_labels_are_noted_and_the_first_ones_again_after_them(journal: Journal) -> None:
    ontario, quebec = (entry().model_copy(update={"labels": {"region": one}}) for one in ("ontario", "quebec"))
    for one in (ontario, quebec, ontario):
        journal.add(one)

    assert journal.entries("skin-network") == [ontario, quebec, ontario]


def test_a_key_that_is_replaced_again_withdraws_what_was_issued_since(journal: Journal) -> None:
    """A call that broke off has issued a certificate which no hub has; the next call withdraws the same key."""
    for one in (entry(What.REPLACED), entry(What.ISSUED), entry(What.REPLACED)):
        journal.add(one)

    assert [one.what for one in journal.entries("skin-network")] == [What.REPLACED, What.ISSUED, What.REPLACED]


def test_a_line_that_somebody_else_is_about_to_write_is_not_taken_for_one_that_broke_off(journal: Journal) -> None:
    journal.add(entry())
    half, rest = (line := entry(What.REPLACED).text().encode() + b"\n")[:40], line[40:]
    writer = threading.Thread(target=journal.add, args=(entry(What.REVOKED),))
    with journal.path.open("ab", buffering=0) as another:
        fcntl.flock(another, fcntl.LOCK_EX)
        another.write(half)
        writer.start()
        writer.join(0.2)
        another.write(rest)
    writer.join()

    assert [one.what for one in journal.entries("skin-network")] == [What.ISSUED, What.REPLACED, What.REVOKED]


def test_a_line_that_a_power_cut_broke_off_was_never_there_and_spoils_none_after_it(journal: Journal) -> None:
    journal.add(entry())
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:40])
    assert journal.entries("skin-network") == [entry()]

    journal.add(entry(What.REVOKED))

    assert journal.entries("skin-network") == [entry(), entry(What.REVOKED)]


def test_a_line_that_somebody_has_spoiled_is_named_and_nothing_is_written_after_it(journal: Journal) -> None:
    journal.add(entry())
    spoiled = journal.path.read_text().replace("issued", "forgotten")
    journal.path.write_text(spoiled)

    for act in (lambda: journal.entries("skin-network"), lambda: journal.add(entry(What.REVOKED))):
        with pytest.raises(EnrolmentError, match=r"line 1 of .*journal\.jsonl cannot be read: bring the file back"):
            act()
    assert journal.path.read_text() == spoiled


def test_a_folder_that_is_no_authoritys_gets_no_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    with pytest.raises(EnrolmentError, match=r"has no ca\.crt: name the folder of the federation's authority"):
        journal.add(entry())
    assert list(tmp_path.iterdir()) == []
