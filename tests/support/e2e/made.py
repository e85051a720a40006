"""Four clusters on this machine, joined by cables: nothing but the hub's node is to be reached from a clinic."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fedround_images.archives import tag_of as image_tag
from fedround_local.gateway import caddy_binary
from support import tools
from support.clusters.cluster import Cluster, Link
from support.clusters.place import Place
from support.clusters.programs import ensure_programs
from support.e2e.ground import Ground, Values
from support.image_build import image_archive
from support.program_images import program_archive, tag_of

CLINICS = ("north", "east", "south")
NODE_PORT = 30443
_CLASS = "local"
#: More than any test claims in one cluster.
_VOLUMES = 6
_NEXT_TAG = "next"


@contextlib.contextmanager
def clusters(folder: Path) -> Iterator[Ground]:
    """Ready, with images and volumes; gone afterwards, with all that ran in them."""
    programs = ensure_programs()
    operator, training = image_archive("operator"), image_archive("training")
    others = [program_archive("minio", tools.minio()), program_archive("caddy", caddy_binary())]
    hub, *clinics = (
        Cluster(Place(folder / name, name, number), programs) for number, name in enumerate(("hub", *CLINICS), 1)
    )
    everyone = [hub, *clinics]
    with contextlib.ExitStack() as stack:
        for cluster in everyone:
            stack.callback(cluster.stop)
            cluster.start()
        for cluster in everyone:
            cluster.wait_ready()
            cluster.load_images([operator, training, *(others if cluster is hub else ())])
            for image in ("operator", "training"):
                cluster.name_image(image_tag(image), f"{image_tag(image).rpartition(':')[0]}:{_NEXT_TAG}")
            cluster.access.apply(*_volumes(cluster.place))
        links = {clinic.place.name: Link(clinic, hub) for clinic in clinics}
        yield Ground(
            hub=hub.access,
            clinics={one.place.name: one.access for one in clinics},
            gateway=f"{hub.place.address}:{NODE_PORT}",
            hub_values=_hub_values(hub.place),
            clinic_values={one.place.name: _clinic_values(one.place, hub.place) for one in clinics},
            cables=_Cables(links),
            next_tag=_NEXT_TAG,
            stays=False,
        )


class _Cables:
    def __init__(self, links: Mapping[str, Link]) -> None:
        self._links = links

    @contextlib.contextmanager
    def cut(self, clinic: str) -> Iterator[None]:
        self._links[clinic].cut()
        try:
            yield
        finally:
            self._links[clinic].mend()


def _hub_values(place: Place) -> Values:
    images = {name: {"repository": tag_of(name).split(":")[0], "tag": "1"} for name in ("minio",)}
    gateway = {"repository": tag_of("caddy").split(":")[0], "tag": "1"}
    service = {"type": "NodePort", "nodePort": NODE_PORT}
    return {
        "image": {**_images(), **images, "gateway": gateway},
        "gateway": {"address": f"{place.address}:{NODE_PORT}", "service": service},
        "networkPolicy": _policy(place),
    }


def _clinic_values(place: Place, hub: Place) -> Values:
    policy = {**_policy(place), "gateway": {"cidrs": [f"{hub.address}/32"]}}
    return {"image": _images(), "networkPolicy": policy}


def _images() -> dict[str, Any]:
    named = {}
    for image in ("operator", "training"):
        repository, tag = image_tag(image).rsplit(":", 1)
        named[image] = {"repository": repository, "tag": tag}
    return {**named, "pullPolicy": "Never"}


def _policy(place: Place) -> dict[str, Any]:
    """The API server and the name server are processes on the node here, not pods of kube-system."""
    node = f"{place.address}/32"
    return {"apiServer": {"cidrs": [node]}, "dns": [{"ipBlock": {"cidr": node}}]}


def _volumes(place: Place) -> list[dict[str, Any]]:
    """A default class of volumes, which are folders of the node: nothing makes volumes on demand here."""
    labels = {"key": "kubernetes.io/hostname", "operator": "In", "values": [place.node]}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [labels]}]}}
    made: list[dict[str, Any]] = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": _CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    ]
    for number in range(_VOLUMES):
        folder = place.folder / "volumes" / str(number)
        folder.mkdir(parents=True)
        made.append(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"volume-{number}"},
                "spec": {
                    "capacity": {"storage": "200Gi"},
                    "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
                    "persistentVolumeReclaimPolicy": "Retain",
                    "storageClassName": _CLASS,
                    "local": {"path": str(folder)},
                    "nodeAffinity": affinity,
                },
            }
        )
    return made
