"""`fedround hub backup` and `restore`: what is taken, what is refused, and what an interrupted restore leaves."""

import base64
import hashlib
import stat
import tarfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fedround_api.jobs import StoreAddress
from fedround_api.kinds import ClinicCertificate
from fedround_cli import report
from fedround_cli.archive import BackupUnusable, unpacked
from fedround_cli.backup import LeftOut, look, save
from fedround_cli.connection import HubError
from fedround_cli.hub import Hub
from fedround_cli.main import main
from fedround_cli.restore import FromJournal, Restoration, since_lines
from fedround_operator.enrolment.replay import Entry, What
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.kit.errors import ApiUnreachable
from fedround_operator.kit.instants import text_of
from fedround_operator.kit.leases import renewal
from fedround_operator.kit.resources import CLINICS, CONFIG_MAPS, LEASES, MODELS, ROUNDS, SECRETS, Object
from fedround_training.errors import StoreRefused
from fedround_training.store.files import Content
from support.fake_api import Call, FakeApi
from support.hub_builders import NETWORK, NOON, clinic_object, model_object, round_object
from support.memory_store import MemoryStore

SYSTEM = "fedround-system"
CURRENT, FIRST, PAGE, FIGURES = b"current weights", b"first weights", b"<html>", b"{}"
REVOKED = ["dead" * 16]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def published(content: bytes) -> str:
    return f"published/skin-lesion/{sha256(content)}.safetensors"


def version(number: int, content: bytes, **more: Any) -> Object:
    return {"version": number, "digest": sha256(content), "bytes": 20, "promotedAt": "2026-11-20T08:00:00Z", **more}


class List:
    """The gateway's list."""

    def __init__(self) -> None:
        self.refused: set[str] = set()

    def add(self, fingerprints: Iterable[str]) -> None:
        self.refused |= set(fingerprints)


class Place:
    """A hub and its store, without any object."""

    def __init__(self) -> None:
        self.api, self.store, self.revocations = FakeApi(), MemoryStore(), List()
        keys = {"access-key": "HUB", "secret-key": "s3cret"}
        data = {name: base64.b64encode(text.encode()).decode() for name, text in keys.items()}
        self.api.put(SECRETS, NETWORK, {"metadata": {"name": "s3-keys"}, "data": data})
        said = {
            "endpoint": "store:8333",
            "bucket": "skin",
            "region": "ca-central-1",
            "https": "false",
            "secret": "s3-keys",
        }
        self.api.put(CONFIG_MAPS, NETWORK, {"metadata": {"name": "fedround-store"}, "data": said})

    @property
    def hub(self) -> Hub:
        return Hub(self.api, NETWORK, "start the hub", open_store=self.open_store)

    def open_store(self, address: StoreAddress, folder: Path) -> MemoryStore:
        return self.store

    def add_round(self, name: str, **status: Any) -> str:
        made = round_object()
        metadata = {"name": name, "labels": {"season": "autumn"}}
        stored = self.api.put(ROUNDS, NETWORK, {**made, "metadata": metadata, "status": status})
        return str(stored["metadata"]["uid"])

    def restore(self, path: Path, *journal: Entry) -> list[Entry]:
        """What was taken from the journal."""
        with unpacked(path) as backup:
            one = Restoration(self.hub, self.api, self.revocations, SYSTEM, journal, clock=lambda: NOON)
            return one.restore(backup)

    def clinic(self, name: str) -> Object:
        return dict(self.api.get(CLINICS, NETWORK, name))

    def status(self, name: str = "w48") -> Object:
        return dict(self.api.get(ROUNDS, NETWORK, name)["status"])


class Network(Place):
    """A hub after one promoted round, while the next one runs."""

    def __init__(self) -> None:
        super().__init__()
        digests = {"jsonSha256": sha256(FIGURES), "htmlSha256": sha256(PAGE)}
        self.uid = self.add_round(
            "w48", startedAt="2026-11-24T09:00:00Z", completedAt="2026-11-24T12:40:00Z", report=digests
        )
        self.running = self.add_round("w49", startedAt="2026-11-24T13:00:00Z")
        current = version(1, CURRENT, round="w48", roundUid=self.uid)
        status = {
            "current": current,
            "history": [current, version(0, FIRST)],
            "activeRound": {"name": "w49", "uid": self.running},
        }
        self.api.put(MODELS, NETWORK, {**model_object(False), "status": status})
        self.api.put(CLINICS, NETWORK, clinic_object("north", labels={"region": "ontario"}))
        self.store.objects = {
            published(CURRENT): CURRENT,
            published(FIRST): FIRST,
            f"rounds/{self.uid}/report.json": FIGURES,
            f"rounds/{self.uid}/report.html": PAGE,
            f"rounds/{self.uid}/candidate.safetensors": CURRENT,
            f"clinics/north/{self.uid}/plain/update.safetensors": b"an update",
        }

    def back_up(self, path: Path) -> LeftOut:
        """The objects of the store that are not in it."""
        return save(self.hub, look(self.hub, pause), REVOKED, path)[1]


class Forbidding(MemoryStore):
    """One whose keys may read what is published and nothing else."""

    def __init__(self, whole: MemoryStore) -> None:
        super().__init__()
        self.objects = whole.objects

    def get(self, key: str, path: Path, limit_bytes: int) -> Content:
        if not key.startswith("published/"):
            raise StoreRefused(f"the object store refused {key}: AccessDenied")
        return super().get(key, path, limit_bytes)


def pause(seconds: float) -> None:
    """Nobody waits in a test."""


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def backup(network: Network, tmp_path: Path) -> Path:
    path = tmp_path / "hub.tar"
    assert network.back_up(path) == LeftOut()
    return path


class TestBackup:
    def test_it_has_what_models_and_ended_rounds_name_and_no_update_of_a_clinic(
        self, network: Network, backup: Path
    ) -> None:
        with tarfile.open(backup) as archive:
            assert archive.getnames() == [
                "backup.json",
                f"store/{published(CURRENT)}",
                f"store/{published(FIRST)}",
                f"store/rounds/{network.uid}/report.json",
                f"store/rounds/{network.uid}/report.html",
            ]
            assert {(one.uid, one.uname) for one in archive.getmembers()} == {(0, "")}

    def test_it_is_for_its_owner_only(self, backup: Path) -> None:
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600

    def test_a_round_that_runs_is_left_out_and_named(self, network: Network) -> None:
        seen = look(network.hub, pause)

        assert ([one["metadata"]["name"] for one in seen.rounds], seen.running) == (["w48"], ["w49"])

    def test_it_waits_until_a_promoted_round_has_ended(self, network: Network) -> None:
        model = network.api.get(MODELS, NETWORK, "skin-lesion")
        history = [version(2, CURRENT, roundUid=network.running), *model["status"]["history"]]
        network.api.patch(MODELS, NETWORK, "skin-lesion", {"status": {"history": history}}, "status")

        def end(_: float) -> None:
            ended = {"status": {"completedAt": "2026-11-24T14:00:00Z"}}
            network.api.patch(ROUNDS, NETWORK, "w49", ended, "status")

        seen = look(network.hub, end)

        assert [one["metadata"]["name"] for one in seen.rounds] == ["w48", "w49"]

    def test_a_promoted_round_that_never_ends_is_named(self, network: Network) -> None:
        history = [version(1, CURRENT, roundUid=network.running)]
        network.api.patch(MODELS, NETWORK, "skin-lesion", {"status": {"history": history}}, "status")

        with pytest.raises(HubError, match="round w49 is promoted and has not ended: if it is suspended go on with it"):
            look(network.hub, pause)

    def test_a_promotion_between_two_looks_makes_it_look_again(self, network: Network) -> None:
        later = [version(2, CURRENT)]

        def promote(call: Call) -> None:
            if call.resource == ROUNDS and later:
                change = {"status": {"current": later.pop()}}
                network.api.patch(MODELS, NETWORK, "skin-lesion", change, "status")

        network.api.before = promote

        assert look(network.hub, pause).models[0]["status"]["current"]["version"] == 2

    def test_old_objects_that_the_store_has_no_more_are_left_out_and_named(
        self, network: Network, tmp_path: Path
    ) -> None:
        gone = [published(FIRST), f"rounds/{network.uid}/report.html"]
        for key in gone:
            del network.store.objects[key]

        assert network.back_up(tmp_path / "hub.tar") == LeftOut(missing=gone)

    @pytest.mark.parametrize("field", ["current", "released"])
    def test_without_the_version_in_use_there_is_no_backup(self, network: Network, tmp_path: Path, field: str) -> None:
        point = {"threshold": "0.4", "testSetManifest": "7e57" * 16, "bestSensitivity": "0.9"}
        released = {"version": 0, "round": "", "digest": sha256(FIRST), "releasedAt": "2026-11-20T08:00:00Z", **point}
        network.api.patch(MODELS, NETWORK, "skin-lesion", {"status": {"released": released}}, "status")
        del network.store.objects[published(CURRENT if field == "current" else FIRST)]

        with pytest.raises(HubError, match="does not give it: there is no object published/"):
            network.back_up(tmp_path / "hub.tar")
        assert list(tmp_path.iterdir()) == []

    def test_a_version_in_use_that_was_changed_is_never_taken(self, network: Network, tmp_path: Path) -> None:
        network.store.objects[published(CURRENT)] = b"other weights"

        with pytest.raises(HubError, match="it was changed, so do not rely on it"):
            network.back_up(tmp_path / "hub.tar")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("content", [b"<html lang=la>", b"<html>" * 2_000_000], ids=["changed", "far longer"])
    def test_an_old_object_that_is_damaged_is_left_out_and_named(
        self, network: Network, tmp_path: Path, content: bytes
    ) -> None:
        page = f"rounds/{network.uid}/report.html"
        network.store.objects[page] = content

        assert network.back_up(tmp_path / "hub.tar") == LeftOut(damaged=[page])

        with unpacked(tmp_path / "hub.tar") as backup:
            assert sorted(backup.files) == sorted(
                [published(CURRENT), published(FIRST), f"rounds/{network.uid}/report.json"]
            )

    def test_a_store_that_refuses_is_not_taken_for_one_that_has_lost_all(
        self, network: Network, tmp_path: Path
    ) -> None:
        network.store = Forbidding(network.store)

        with pytest.raises(HubError, match="AccessDenied; its keys need the right to read the bucket and to list it"):
            network.back_up(tmp_path / "hub.tar")
        assert list(tmp_path.iterdir()) == []

    def test_the_place_of_an_older_one_that_others_could_read_makes_it_no_wider(
        self, network: Network, tmp_path: Path
    ) -> None:
        path = tmp_path / "hub.tar"
        path.touch()
        path.chmod(0o644)

        network.back_up(path)

        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_federation_on_this_machine_is_backed_up_by_its_folder(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["hub", "backup", "hub.tar", "--state", "build/mine"]) == 2
        assert "stop it by `fedround local down`, and copy that" in capsys.readouterr().err


def without_the_last_file(content: bytes) -> bytes:
    """An archive that ends properly (with two empty blocks) before its last file."""
    return content[: content.rindex(b"store/rounds")] + bytes(1024)


class TestDamagedBackups:
    @pytest.mark.parametrize(
        ("damage", "sentence"),
        [
            (lambda content: content.replace(FIRST, b"FIRST WEIGHTS"), "was changed or damaged, at published/"),
            (
                lambda content: content[: content.index(b"store/rounds", content.index(b".json\0", 512))],
                "lacks rounds/",
            ),
            (lambda content: content[: content.index(FIGURES + b"\0")], "no backup of a hub, or was cut off"),
            (lambda content: content.replace(b'"format":1', b'"format":2'), "with the same version"),
            (lambda content: b"not an archive", "no backup of a hub, or was cut off"),
        ],
        ids=["changed", "without a file", "cut off", "of another version", "something else"],
    )
    def test_one_that_is_not_whole_is_refused_before_anything_is_written(
        self, backup: Path, damage: Callable[[bytes], bytes], sentence: str
    ) -> None:
        backup.write_bytes(damage(backup.read_bytes()))
        place = Place()

        with pytest.raises(BackupUnusable, match=sentence):
            place.restore(backup)
        assert (place.api.calls, place.store.objects) == ([], {})


class TestRestore:
    def test_pointer_history_rounds_clinics_and_list_are_back(self, network: Network, backup: Path) -> None:
        place = Place()

        place.restore(backup)

        model = place.api.get(MODELS, NETWORK, "skin-lesion")
        assert model["status"]["current"]["version"] == 1
        assert [one["version"] for one in model["status"]["history"]] == [1, 0]
        assert place.status() == network.status()
        assert place.api.get(ROUNDS, NETWORK, "w48")["metadata"]["labels"] == {"season": "autumn"}
        assert place.api.get(CLINICS, NETWORK, "north")["metadata"]["labels"] == {"region": "ontario"}
        assert place.revocations.refused == set(REVOKED)
        assert place.store.objects == {
            key: content
            for key, content in network.store.objects.items()
            if "candidate" not in key and not key.startswith("clinics/")
        }

    def test_the_model_is_free_and_the_round_that_ran_is_gone(self, backup: Path) -> None:
        place = Place()

        place.restore(backup)

        assert "activeRound" not in place.api.get(MODELS, NETWORK, "skin-lesion")["status"]
        assert [one["metadata"]["name"] for one in place.api.peek(ROUNDS, NETWORK)] == ["w48"]

    def test_a_report_is_found_after_two_restores_although_each_gives_the_round_another_uid(
        self, network: Network, backup: Path, tmp_path: Path
    ) -> None:
        first, second = Place(), Place()
        for _ in range(3):
            second.api.put(LEASES, SYSTEM, {"metadata": {"name": "any"}})  # else both would give the same UIDs
        first.restore(backup)
        save(first.hub, look(first.hub, pause), REVOKED, tmp_path / "again.tar")

        second.restore(tmp_path / "again.tar")

        uids = {one.api.get(ROUNDS, NETWORK, "w48")["metadata"]["uid"] for one in (network, first, second)}
        assert len(uids) == 3
        wanted = report.wanted(second.hub.round("w48"), as_json=False)
        assert report.fetch(second.hub, wanted) == PAGE

    def test_the_pointer_comes_last(self, backup: Path) -> None:
        place = Place()

        place.restore(backup)

        written = [(call.resource.plural, call.subresource) for call in place.api.calls if call.verb != "list"]
        assert written[-4:] == [
            ("federatedrounds", None),
            ("federatedrounds", "status"),
            ("federatedmodels", None),
            ("federatedmodels", "status"),
        ]

    @pytest.mark.parametrize("broken_at", range(6))
    def test_one_that_broke_off_is_completed_by_the_next_call(self, backup: Path, broken_at: int) -> None:
        place, whole = Place(), Place()
        whole.restore(backup)
        left = [broken_at]

        def break_off(call: Call) -> None:
            if call.verb in ("create", "patch"):
                if left[0] == 0:
                    raise ApiUnreachable("the line is cut")
                left[0] -= 1

        place.api.before = break_off
        if broken_at < 5:
            with pytest.raises(ApiUnreachable):
                place.restore(backup)
        place.api.before = lambda call: None

        place.restore(backup)

        for resource in (MODELS, ROUNDS, CLINICS):
            made, wanted = (one.api.peek(resource, NETWORK) for one in (place, whole))
            assert [(one["spec"], one.get("status")) for one in made] == [
                (one["spec"], one.get("status")) for one in wanted
            ]

    def test_while_an_operator_runs_nothing_is_written(self, backup: Path) -> None:
        place = Place()
        lease = {"metadata": {"name": OPERATOR_LEASE}, **renewal("operator-1", 15, NOON - timedelta(seconds=14))}
        place.api.put(LEASES, SYSTEM, lease)

        with pytest.raises(HubError, match="the hub's operator runs: stop it"):
            place.restore(backup)
        assert (place.api.peek(MODELS, NETWORK), place.store.objects) == ([], {})

    @pytest.mark.parametrize(
        "lease",
        [renewal("", 15, NOON), renewal("operator-1", 15, NOON - timedelta(seconds=16))],
        ids=["given back", "run out"],
    )
    def test_an_operator_that_has_ended_does_not_hold_it_up(self, backup: Path, lease: Object) -> None:
        place = Place()
        place.api.put(LEASES, SYSTEM, {"metadata": {"name": OPERATOR_LEASE}, **lease})

        place.restore(backup)

        assert len(place.api.peek(MODELS, NETWORK)) == 1

    @pytest.mark.parametrize("other", ["another name", "another spec", "another status"])
    def test_over_objects_that_are_not_the_backups_nothing_is_written(self, backup: Path, other: str) -> None:
        place = Place()
        model = model_object(False)
        match other:
            case "another name":
                model["metadata"]["name"] = "other"
            case "another spec":
                model["spec"]["seed"] = 12
            case "another status":
                model["status"] = {"evaluations": 9}
        place.api.put(MODELS, NETWORK, model)

        with pytest.raises(HubError, match="restore into a hub without models, rounds and clinics"):
            place.restore(backup)
        assert (place.api.peek(CLINICS, NETWORK), place.store.objects) == ([], {})


FIRST_HELD, SECOND_HELD = (
    ClinicCertificate(
        sha256=number * 64,
        key_sha256=number * 64,
        issued_at="2026-11-01T08:00:00Z",
        expires_at="2027-11-01T08:00:00Z",
        pem=f"certificate {number}",
    )
    for number in "12"
)


def noted(what: What, *certificates: ClinicCertificate, clinic: str = "north", at: datetime | None = None) -> Entry:
    """A line of the journal, by default of a year after any backup."""
    when = at or datetime.now(UTC) + timedelta(days=365)
    labels = {"region": "quebec"} if what is What.ISSUED else {}
    return Entry(
        at=text_of(when), network=NETWORK, clinic=clinic, what=what, certificates=list(certificates), labels=labels
    )


class TestRestoreWithAJournal:
    """north was a member at the moment of the backup, with its first certificate."""

    @pytest.fixture
    def backup(self, network: Network, tmp_path: Path) -> Path:
        north = clinic_object("north", labels={"region": "ontario"})
        network.api.put(CLINICS, NETWORK, {**north, "spec": {"certificates": [FIRST_HELD.dump()]}})
        path = tmp_path / "hub.tar"
        network.back_up(path)
        return path

    def test_who_was_revoked_since_the_backup_stays_out(self, backup: Path) -> None:
        place, revoked = Place(), noted(What.REVOKED, FIRST_HELD)

        assert place.restore(backup, revoked) == [revoked]

        spec = place.clinic("north")["spec"]
        assert (spec["suspended"], [one["revoked"] for one in spec["certificates"]]) == (True, [True])
        assert place.revocations.refused == {*REVOKED, FIRST_HELD.sha256}

    def test_what_was_issued_since_is_on_record_with_the_labels_of_then(self, backup: Path) -> None:
        place = Place()

        place.restore(backup, noted(What.ISSUED, SECOND_HELD))

        clinic = place.clinic("north")
        assert [one["sha256"] for one in clinic["spec"]["certificates"]] == [FIRST_HELD.sha256, SECOND_HELD.sha256]
        assert clinic["metadata"]["labels"] == {"region": "quebec"}

    def test_a_clinic_that_was_admitted_since_is_a_member(self, backup: Path) -> None:
        place = Place()

        place.restore(backup, noted(What.ISSUED, SECOND_HELD, clinic="south"))

        south = place.clinic("south")
        assert [one["sha256"] for one in south["spec"]["certificates"]] == [SECOND_HELD.sha256]
        assert (south["metadata"]["namespace"], south["metadata"]["labels"]) == (NETWORK, {"region": "quebec"})

    def test_one_that_was_admitted_before_the_backup_and_is_not_in_it_was_deleted_and_stays_so(
        self, backup: Path
    ) -> None:
        place = Place()
        long_ago = noted(What.ISSUED, SECOND_HELD, clinic="south", at=datetime(2026, 1, 1, tzinfo=UTC))

        assert place.restore(backup, long_ago) == []

        assert [one["metadata"]["name"] for one in place.api.peek(CLINICS, NETWORK)] == ["north"]

    def test_a_suspension_of_before_the_backup_outlives_a_key_that_was_replaced_since(
        self, network: Network, backup: Path
    ) -> None:
        network.api.patch(CLINICS, NETWORK, "north", {"spec": {"suspended": True}})
        network.back_up(backup)
        place = Place()

        place.restore(backup, noted(What.REPLACED, FIRST_HELD), noted(What.ISSUED, SECOND_HELD))

        spec = place.clinic("north")["spec"]
        assert (spec["suspended"], [one.get("revoked", False) for one in spec["certificates"]]) == (True, [True, False])

    @pytest.mark.parametrize("broken_at", range(8))
    def test_one_that_broke_off_is_completed_and_says_the_same(self, backup: Path, broken_at: int) -> None:
        lines = (noted(What.REVOKED, FIRST_HELD), noted(What.ISSUED, SECOND_HELD, clinic="south"))
        place, whole, left = Place(), Place(), [broken_at]
        said = whole.restore(backup, *lines)

        def break_off(call: Call) -> None:
            if call.verb in ("create", "patch"):
                if left[0] == 0:
                    raise ApiUnreachable("the line is cut")
                left[0] -= 1

        place.api.before = break_off
        with pytest.raises(ApiUnreachable):
            place.restore(backup, *lines)
        place.api.before = lambda call: None

        assert place.restore(backup, *lines) == said == list(lines)
        for resource in (MODELS, ROUNDS, CLINICS):
            made, wanted = (one.api.peek(resource, NETWORK) for one in (place, whole))
            assert [(one["metadata"].get("labels"), one["spec"]) for one in made] == [
                (one["metadata"].get("labels"), one["spec"]) for one in wanted
            ]

    def test_one_that_broke_off_without_the_journal_is_completed_with_it(self, backup: Path) -> None:
        place = Place()
        place.restore(backup)

        place.restore(backup, noted(What.REVOKED, FIRST_HELD))

        assert place.clinic("north")["spec"]["suspended"] is True

    def test_it_is_said_what_was_taken_and_without_a_journal_what_is_to_be_done(self) -> None:
        issued = noted(What.ISSUED, FIRST_HELD, at=datetime(2026, 11, 1, tzinfo=UTC))
        revoked = noted(What.REVOKED, FIRST_HELD, at=datetime(2026, 11, 25, tzinfo=UTC))

        assert list(since_lines("2026-11-24T12:00:00Z", FromJournal([revoked], [issued, revoked]))) == [
            "taken from the authority's journal, as it was done after 2026-11-24T12:00:00Z:",
            "  2026-11-25 north: revoked, 1 certificate",
        ]
        assert list(since_lines("2026-11-24T12:00:00Z", None)) == [
            "no journal of the authority was read (--ca DIR): revoke again whom you revoked since "
            "2026-11-24T12:00:00Z, and",
            "approve the requests of clinics that were admitted or renewed since again",
        ]

    def test_of_a_journal_that_was_begun_after_the_backup_it_is_said_what_it_cannot_know(self) -> None:
        issued = noted(What.ISSUED, FIRST_HELD, at=datetime(2026, 11, 25, tzinfo=UTC))

        assert list(since_lines("2026-11-24T12:00:00Z", FromJournal([], [issued]))) == [
            "the authority's journal has nothing of members that the backup did not know",
            "it has no line of before 2026-11-24T12:00:00Z (it was begun at 2026-11-25T00:00:00Z): revoke again whom "
            "you revoked meanwhile, and",
            "approve the requests of clinics that were admitted or renewed since again",
        ]
        assert list(since_lines("2026-11-24T12:00:00Z", FromJournal([], [])))[1] == (
            "it has no line of before 2026-11-24T12:00:00Z (it has none of this network): revoke again whom you "
            "revoked meanwhile, and"
        )

    def test_called_again_it_finds_what_it_has_made(self, backup: Path) -> None:
        place, lines = Place(), (noted(What.ISSUED, SECOND_HELD), noted(What.REVOKED, FIRST_HELD, SECOND_HELD))
        place.restore(backup, *lines)
        before = place.clinic("north")["spec"]

        place.restore(backup, *lines)

        assert place.clinic("north")["spec"] == before


def test_rounds_that_were_restored_in_one_moment_are_listed_by_their_start() -> None:
    place = Place()
    for name, start in (("a", "2026-11-24T11:00:00Z"), ("b", "2026-11-24T10:00:00Z")):
        place.add_round(name, startedAt=start)

    assert [one.round.metadata.name for one in place.hub.rounds().rounds] == ["b", "a"]
