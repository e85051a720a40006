"""What has left the clinics after a round, searched for everything by which a patient or an image is told."""

import csv
import json
from collections.abc import Iterator

import pytest

from fedround_api import names
from fedround_local.federation import layout
from fedround_local.objectstore import BUCKET
from fedround_operator.kit.resources import CLINIC_ROUNDS, CLINICS, EVENTS, LEASES, MODELS, ROUNDS
from support.federation_fixture import NETWORK, Network

pytestmark = pytest.mark.timeout(600)

IDENTIFIERS = ("image_id", "patient_id", "lesion_id")


def identifiers(network: Network, clinic: str) -> set[bytes]:
    """All of a clinic's table."""
    folder = network.federation.place.volume(layout.local_namespace(clinic), layout.IMAGES_CLAIM)
    with (folder / "metadata.csv").open() as file:
        return {row[column].encode() for row in csv.DictReader(file) for column in IDENTIFIERS}


def at_the_hub(network: Network) -> Iterator[tuple[str, bytes]]:
    """Objects of the hub and of the clinics' doors, everything in the store, and the logs of gateway and operator."""
    doors = [NETWORK, *map(names.clinic_namespace, network.clinics)]
    for resource in (CLINIC_ROUNDS, CLINICS, EVENTS, LEASES, MODELS, ROUNDS):
        for namespace in doors:
            for one in network.api.list(resource, namespace):
                yield f"{resource.plural} {one['metadata']['name']}", json.dumps(one).encode()
    for stored in network.store().list_objects(BUCKET, recursive=True):
        key = str(stored.object_name)
        yield key, network.stored(key) or b""
    state = network.federation.place.state
    for log in (state / "gateway" / "access.log", state / "logs" / "gateway.log", state / "logs" / "operator.log"):
        yield log.name, log.read_bytes()


def test_no_identifier_of_a_clinics_table_is_at_the_hub_after_a_round(network: Network, undisturbed: str) -> None:
    found = dict(at_the_hub(network))
    private = {one for name in network.clinics for one in identifiers(network, name)}

    assert len(private) > 300
    assert [key for key in found if key.endswith("update.safetensors")] != []
    assert [(where, one) for where, content in found.items() for one in private if one in content] == []


def test_the_same_search_finds_the_clinics_names_in_every_kind_of_place(network: Network, undisturbed: str) -> None:
    """Else the test above might have looked at nothing."""
    uid = network.round("undisturbed").metadata.uid
    clinic = network.clinics[0].encode()
    places = {where.partition(" ")[0] for where, content in at_the_hub(network) if clinic in content}

    assert places >= {
        *("clinicrounds", "clinics", "federatedrounds", "leases"),
        *(f"rounds/{uid}/report.json", f"rounds/{uid}/report.html", f"rounds/{uid}/aggregate.json"),
        "access.log",
    }
