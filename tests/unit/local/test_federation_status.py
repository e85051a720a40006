"""What the status advises, and how it weighs a state folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fedround_api.kinds import Clinic
from fedround_local.federation.layout import Layout
from fedround_local.federation.sizes import bytes_below, sizes
from fedround_local.federation.status import advice, clinic_view, hub_view

UP, DOWN = {"running": True}, {"running": False}
AVAILABLE = {"available": True, "reason": "LeaseRenewed"}
AWAY = {"available": False, "reason": "LeaseExpired"}


def found(**changes: Any) -> Mapping[str, Any]:
    """A federation in which all is well, but for the changes."""
    well = {
        "state": "/srv/fed",
        "processes": {"gateway": UP, "operator": UP},
        "modelStatus": {"ready": True, "reason": "Initialized"},
        "clinicStatus": {"north": AVAILABLE, "south": AVAILABLE},
        "rounds": [{"name": "w48", "completedAt": "2026-11-27T10:00:00Z", "reason": "HighRiskCasesLost"}],
        "unreadable": [],
    }
    return {**well, **changes}


UNKNOWN = {"modelStatus": None, "clinicStatus": None, "rounds": None}
ADVICE: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    (
        {"processes": {"gateway": DOWN, "operator": DOWN}, **UNKNOWN},
        ["Nothing runs. Start it with `fedround local up --state /srv/fed`."],
    ),
    (
        {"state": "/srv/my fed", "processes": {"gateway": DOWN, "operator": DOWN}, **UNKNOWN},
        ["Nothing runs. Start it with `fedround local up --state '/srv/my fed'`."],
    ),
    (
        {"processes": {"gateway": DOWN, "operator": UP}},
        [
            "Start again what has ended with `fedround local up --state /srv/fed`; "
            "why it ended stands in /srv/fed/logs: gateway.log."
        ],
    ),
    (UNKNOWN, ["The Kubernetes API does not answer. If it stays so, look at /srv/fed/logs/kube-apiserver.log."]),
    (
        {"clinicStatus": {"north": AWAY, "south": AWAY}},
        [
            "Clinics north, south: LeaseExpired. The clinic's agent has not renewed its Lease in time: it is down, or "
            "its network is. Start the agent, and look whether the clinic's network lets it out to the gateway."
        ],
    ),
    (
        {"modelStatus": {"ready": False, "reason": "InitFailed"}},
        [
            "The model: InitFailed. The init Job failed; its message says why. "
            "Mend the cause, then delete the model and create it again."
        ],
    ),
    ({"modelStatus": {"ready": False, "reason": "Initializing"}}, []),
    (
        {"rounds": [{"name": "w49", "completedAt": None, "reason": "Suspended"}]},
        ["Round w49: Suspended. spec.suspend is true. Set it to false to go on."],
    ),
    ({"rounds": [{"name": "w49", "completedAt": None, "reason": "Training"}]}, []),
    ({"rounds": [{"name": "w49", "completedAt": None, "reason": None}]}, []),
]


@pytest.mark.parametrize(("changes", "want"), ADVICE)
def test_what_is_not_as_it_should_be_is_said_with_what_to_do(changes: dict[str, Any], want: list[str]) -> None:
    assert list(advice(found(**changes))) == want


def test_an_object_of_another_version_hides_none_of_the_others_and_is_told_of() -> None:
    model = {"metadata": {"name": "skin-lesion"}, "spec": {"architecture": "of tomorrow"}}
    north, south = {"metadata": {"name": "north"}}, {"metadata": {"name": "south"}, "spec": {"suspended": "perhaps"}}

    view = hub_view(model, [], [north, south])

    assert (view["modelStatus"], view["rounds"], list(view["clinicStatus"])) == (None, [], ["north"])
    told = list(advice(found(**view)))
    assert told[0].startswith("FederatedModel skin-lesion: ")
    assert told[1].startswith("Clinic south: ('spec', 'suspended') ")
    assert told[1].endswith(": it was written by another version than this program, which leaves it out here.")
    assert len(told) == 2


def test_a_clinic_that_was_never_seen_is_not_available() -> None:
    clinic = Clinic.model_validate({"metadata": {"name": "north"}})

    assert clinic_view(clinic) == {"available": False, "reason": None, "caseVolume": None, "lastSeen": None}


def test_sizes_are_told_by_part(tmp_path: Path) -> None:
    place = Layout(tmp_path)
    for folder, kibibytes in (
        (tmp_path / "etcd" / "member", 100),
        (tmp_path / "store" / "data", 200),
        (place.volume("local-north", "images"), 300),
        (place.volume("local-south", "workspace"), 400),
        (place.volume("skin-network", "test-set"), 500),
        (tmp_path / "logs", 600),
        (tmp_path / "pki", 800),
    ):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(os.urandom(kibibytes * 2**10))
    (tmp_path / "logs" / "elsewhere").symlink_to(tmp_path / "pki" / "file")

    weighed = sizes(place)

    # Folders take room of their own; how much depends on the file system.
    assert {name: number // 2**10 // 100 * 100 for name, number in weighed.items() if name != "total"} == {
        "controlPlane": 100,
        "objectStore": 200,
        "clinicVolumes": 700,
        "hubVolumes": 500,
        "pods": 0,
        "logs": 600,
        "other": 800,
    }
    assert weighed["total"] == sum(number for name, number in weighed.items() if name != "total")


def test_a_folder_that_is_not_there_takes_nothing(tmp_path: Path) -> None:
    assert bytes_below(tmp_path / "missing") == 0
