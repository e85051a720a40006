"""The way to the hub, as far as nothing has to answer: clocks that differ, and certificates that do not fit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fedround_api.checks import CheckFailed, Noted
from fedround_operator.agent.entrance import Entrance, judge_skew, skew_of
from fedround_operator.kit import pki

NOON = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
DATE = "Sat, 28 Nov 2026 12:00:00 GMT"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("asked", "answered", "want"),
    [
        (0.2, 0.9, 0),  # within the second that the date has no fraction of
        (-0.4, 0.3, 0),  # the answer took its time
        (31, 31.5, 30),
        (-31, -30, -30),
        (-600, -599.5, -599.5),
    ],
)
def test_how_far_a_clock_is_off_is_no_more_than_what_is_certain(asked: float, answered: float, want: float) -> None:
    assert skew_of(DATE, NOON + seconds(asked), NOON + seconds(answered)) == seconds(want)


@pytest.mark.parametrize("date", [None, "", "noon", "Sat, 28 Nov 2026 12:00:00 -0000"])
def test_a_gateway_that_tells_no_time_leaves_it_open(date: str | None) -> None:
    assert skew_of(date, NOON, NOON) is None
    assert judge_skew(None) == Noted("the gateway tells no time: nothing is known of this machine's clock")


@pytest.mark.parametrize("skew", [0, 5, -5])
def test_clocks_that_agree_within_five_seconds_are_fine(skew: float) -> None:
    assert judge_skew(seconds(skew)) == "this machine's clock and the gateway's agree"


@pytest.mark.parametrize(("skew", "text"), [(6, "6 s ahead of"), (-20, "20 s behind")])
def test_a_clock_that_is_a_little_off_is_noted(skew: float, text: str) -> None:
    want = f"this machine's clock is {text} the gateway's: let it follow a time server"
    assert judge_skew(seconds(skew)) == Noted(want)


@pytest.mark.parametrize(("skew", "text"), [(21, "21 s ahead of"), (-3600, "3600 s behind")])
def test_a_clock_with_which_a_lease_runs_out_on_its_way_is_refused(skew: float, text: str) -> None:
    with pytest.raises(CheckFailed, match=f"this machine's clock is {text} the gateway's: let it follow a time server"):
        judge_skew(seconds(skew))


class Files:
    """A clinic's mounted Secret."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, pki.Authority.create("federation")
        self.key, request = pki.request_certificate("north")
        self.certificate = self.authority.sign_clinic(request, timedelta(days=365))
        self.lay_out()

    def lay_out(self) -> None:
        files = {"tls.key": self.key, "tls.crt": self.certificate, "ca.crt": self.authority.certificate_pem}
        for name, content in files.items():
            (self.folder / name).write_bytes(content)

    def check(self, days: int = 0, clinic: str = "north") -> str | Noted:
        now = datetime.now(UTC) + timedelta(days=days)
        return Entrance(clinic, "127.0.0.1:9", self.folder, self.folder, lambda: now).check_certificate()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_certificate_that_fits_is_told_with_its_end(files: Files) -> None:
    found = files.check()
    assert isinstance(found, str)
    assert found.startswith("valid for 364 more days, until 20")


def test_a_certificate_that_ends_within_a_month_is_noted(files: Files) -> None:
    found = files.check(days=340)
    assert isinstance(found, Noted)
    assert found.text.startswith("valid for 24 more days")
    assert found.text.endswith("the network's administrator has to approve it")


def test_a_certificate_that_is_over_not_begun_or_another_clinics_is_refused(files: Files) -> None:
    with pytest.raises(CheckFailed, match=r"UTC, not now\. Install the bundle"):
        files.check(days=366)
    with pytest.raises(CheckFailed, match="UTC, not now"):
        files.check(days=-2)
    with pytest.raises(CheckFailed, match=r"names 'CN=north,O=clinics', not clinic south\. .*request south` again"):
        files.check(clinic="south")


def test_a_certificate_for_another_key_is_refused(files: Files) -> None:
    files.key = pki.new_key()
    files.lay_out()
    with pytest.raises(CheckFailed, match="is for another private key than the one that is here"):
        files.check()


def test_a_certificate_by_another_authority_is_refused(files: Files) -> None:
    files.authority = pki.Authority.create("somebody-else")
    files.lay_out()
    with pytest.raises(CheckFailed, match="is not signed by the federation's authority"):
        files.check()


@pytest.mark.parametrize("name", ["tls.key", "tls.crt", "ca.crt"])
def test_a_file_that_is_missing_or_broken_is_told(files: Files, name: str) -> None:
    (files.folder / name).write_bytes(b"nonsense")
    with pytest.raises(CheckFailed, match="Install the bundle"):
        files.check()
    (files.folder / name).unlink()
    with pytest.raises(
        CheckFailed, match=f"{name} cannot be read .No such file or directory.: .*request north` makes the key"
    ):
        files.check()


def test_a_name_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    entrance = Entrance("north", "gateway.invalid:443", tmp_path, tmp_path, lambda: NOON)
    with pytest.raises(CheckFailed, match=r"gateway\.invalid leads to no address .* networkPolicy\.dns"):
        entrance.check_address()


def test_until_the_secret_that_a_pod_sees_has_the_certificate_that_of_the_bundle_is_taken(tmp_path: Path) -> None:
    mounted, bundle = tmp_path / "certificate", tmp_path / "membership"
    mounted.mkdir()
    bundle.mkdir()
    Files(bundle)
    (bundle / "tls.key").rename(mounted / "tls.key")

    found = Entrance("north", "127.0.0.1:9", mounted, bundle, lambda: datetime.now(UTC)).check_certificate()

    assert str(found).startswith("valid for 364 more days")
