"""A network on real clusters, set up by the commands of docs/install.md: a hub, clinics, images, a test set."""

import base64
import io
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from minio import Minio

from fedround_local.federation.dataplan import DataPlan, DataRequest, lay_out
from fedround_local.federation.layout import IMAGES_CLAIM, NETWORK_NAMESPACE, TEST_SET_CLAIM, Layout, local_namespace
from fedround_training.data.dermoscopy import write_synthetic_folder
from support import tools
from support.clusters.access import Access
from support.e2e.commands import Terminal
from support.e2e.ground import Ground
from support.e2e.inside import waiting_pod
from support.e2e.places import (
    CHECKOUT,
    CLINIC_NAMESPACE,
    CLINIC_RELEASE,
    HUB_NAMESPACE,
    HUB_RELEASE,
    MODEL,
    NETWORK,
)

#: As the examples have it.
TEST_SET = "test-sets/ontario"
IMAGE_SIZE = 64
_SEED = 3
# A fifth of a clinic's patients goes into the hub's test set: some 300 images are left to each.
_IMAGES_OF_A_CLINIC = 375
POLL_SECONDS = 0.5
_UNPACK = """
import sys, tarfile
tarfile.open(fileobj=sys.stdin.buffer, mode="r|").extractall("/workspace", filter="data")
"""

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], what: str, seconds: float, told: Callable[[], str] = str) -> T:
    """The first thing other than None or False that `look` gives; `told` says more where it is not seen."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"not seen within {seconds:.0f} s: {what}\n{told()}")
        time.sleep(POLL_SECONDS)


def training(**changes: Any) -> dict[str, Any]:
    """A round's `training`: enough to learn something from three hundred images, and short enough for a test."""
    cases = {"windowDays": 3650, "by": "FirstVisit"}
    fixed = {"algorithm": "FedAvg", "batchSize": 16, "momentum": "0.9", "cases": cases}
    return {**fixed, "epochs": 4, "learningRate": "0.01", "seed": 7, **changes}


@dataclass
class Network:
    """The network as its people work with it. `folder` is the administrator's and everybody's else."""

    ground: Ground
    folder: Path
    bundles: dict[str, Path] = field(default_factory=dict)
    #: Lines for who reads the end of the test.
    figures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub = self.ground.hub
        self.clinics = dict(zip(sorted(self.ground.clinics), range(1, 100), strict=False))
        self.folder.mkdir(parents=True, exist_ok=True)
        # Helm 3 at the hub, Helm 4 in the clinics: charts are for both.
        self.at_hub = Terminal(self.hub, tools.helm(3), self.folder)
        self.at_clinic = {
            name: Terminal(access, tools.helm(4), self.folder) for name, access in self.ground.clinics.items()
        }

    # --- data

    def draw(self) -> DataPlan:
        """Images that are drawn, divided into the clinics' and the hub's test set."""
        drawn, place = self.folder / "drawn", Layout(self.folder / "data")
        write_synthetic_folder(drawn, _IMAGES_OF_A_CLINIC * len(self.clinics), seed=_SEED, width=IMAGE_SIZE)
        self.plan = lay_out(DataRequest(drawn, len(self.clinics), None, _SEED), place, print)
        shares = sorted(self.plan.clinics)
        self.images = {
            name: place.volume(local_namespace(share), IMAGES_CLAIM)
            for name, share in zip(self.clinics, shares, strict=True)
        }
        self.test_set = place.volume(NETWORK_NAMESPACE, TEST_SET_CLAIM)
        return self.plan

    # --- installing

    def install_hub(self) -> None:
        """As the guide says."""
        host = self.ground.gateway.rpartition(":")[0]
        (self.folder / "passphrase").write_text("of the administrator\n")
        self.at_hub.fedround("clinic", "ca", "fedround-ca", "--passphrase-file", "passphrase", "--gateway", host)
        kubectl, authority = self.hub.kubectl, self.folder / "fedround-ca"
        space = ("--namespace", HUB_NAMESPACE)
        kubectl("create", "namespace", HUB_NAMESPACE)
        kubectl("create", "configmap", "fedround-federation", *space, f"--from-file={authority / 'ca.crt'}")
        pair = (f"--cert={authority / 'gateway.crt'}", f"--key={authority / 'gateway.key'}")
        kubectl("create", "secret", "tls", "fedround-gateway", *space, *pair)
        self.install_hub_chart("install", {})
        self.at_hub.helm("test", HUB_RELEASE, *space, "--logs")

    def install_hub_chart(self, verb: str, besides: Mapping[str, Any]) -> None:
        """The hub's one release, with what is special about these clusters as a second file of values."""
        own = self._values("hub", {**self.ground.hub_values, **besides})
        self.at_hub.helm(
            *(verb, HUB_RELEASE, str(CHECKOUT / "charts/fedround-hub"), "--namespace", HUB_NAMESPACE),
            *("--values", str(CHECKOUT / "examples/values-hub.yaml"), "--values", str(own)),
        )

    def enrol(self, name: str) -> None:
        """The four commands of a clinic, and the administrator's answer in between."""
        access, terminal = self.ground.clinics[name], self.at_clinic[name]
        namespace, claim = yaml.safe_load_all((CHECKOUT / "examples/clinic/images.yaml").read_text())
        # A volume of these clusters in place of a share of the clinic's file server.
        claim["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        access.apply(namespace, claim)
        self.fill(access, CLINIC_NAMESPACE, claim["metadata"]["name"], self.images[name])
        terminal.fedround("clinic", "request", name)
        self.bundles[name] = self.approve(name)
        self.install_clinic(name)

    def approve(self, name: str) -> Path:
        """The administrator's answer to the clinic's request."""
        self.at_hub.fedround(
            *("clinic", "approve", f"{name}.csr", "--ca", "fedround-ca", "--passphrase-file", "passphrase"),
            *("--gateway", self.ground.gateway, "--label", "region=ontario"),
        )
        return self.folder / f"{name}-membership.yaml"

    def install_clinic(
        self, name: str, *, verb: str = "install", besides: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """The clinic's one release. Its clinics take part in rounds whose updates are not noised."""
        policy = {"privacy": {"allowNone": True, "reportCaseCounts": True}}
        own = self._values(
            name, {**self.ground.clinic_values[name], "policy": policy, "workspace": {"size": "2Gi"}, **besides}
        )
        self.at_clinic[name].helm(
            *(verb, CLINIC_RELEASE, str(CHECKOUT / "charts/fedround-clinic"), "--namespace", CLINIC_NAMESPACE),
            *("--values", str(CHECKOUT / "examples/values-clinic.yaml"), "--values", str(self.bundles[name])),
            *("--values", str(own)),
        )
        self.at_clinic[name].helm("test", CLINIC_RELEASE, "--namespace", CLINIC_NAMESPACE, "--logs")

    def _values(self, name: str, values: Mapping[str, Any]) -> Path:
        path = self.folder / f"values-of-{name}.yaml"
        path.write_text(yaml.safe_dump(dict(values)))
        return path

    # --- volumes

    def fill(self, access: Access, namespace: str, claim: str, folder: Path) -> None:
        """Bring a folder's files into a claim, through a pod that mounts it."""
        pod = f"load-{claim}"
        loader = waiting_pod(pod, namespace, self.training_image, {})
        loader["spec"]["volumes"][0] = {"name": "workspace", "persistentVolumeClaim": {"claimName": claim}}
        self.run_pod(access, loader)
        unpack = ("exec", "-i", pod, "-n", namespace, "--", "python3", "-c", _UNPACK)
        access.kubectl(*unpack, given=_packed(folder))
        access.kubectl("delete", "pod", pod, "-n", namespace, "--grace-period=1")

    def next_images(self, images: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values of `image`, with the programs' images under the tag of the next version."""
        own = {name: {**images[name], "tag": self.ground.next_tag} for name in ("operator", "training")}
        return {**images, **own}

    @staticmethod
    def run_pod(access: Access, pod: Mapping[str, Any]) -> None:
        """Returns when it is Ready."""
        access.apply(pod)
        meta = pod["metadata"]
        ready = ("wait", "--for=condition=Ready", f"pod/{meta['name']}", "-n", meta["namespace"], "--timeout=180s")
        access.kubectl(*ready)

    @property
    def training_image(self) -> Mapping[str, str]:
        """For pods of the tests' own: it has Python and all that a Job has."""
        images = self.ground.hub_values["image"]
        one = images["training"]
        return {"image": f"{one['repository']}:{one['tag']}", "imagePullPolicy": images["pullPolicy"]}

    # --- models and rounds

    def upload_test_set(self) -> None:
        """Into the trial store, through a forwarded port, as the guide says; then the hub's own test looks at it."""
        secret = self.hub.get("secret", "fedround-store", "-n", NETWORK)["data"]
        key, secret_key = (base64.b64decode(secret[name]).decode() for name in ("access-key", "secret-key"))
        with self.hub.forwarded(HUB_NAMESPACE, f"service/{HUB_RELEASE}-minio", 9000) as address:
            store = Minio(address, access_key=key, secret_key=secret_key, secure=False, region="us-east-1")
            for path in (one for one in sorted(self.test_set.rglob("*")) if one.is_file()):
                store.fput_object("fedround", f"{TEST_SET}/{path.relative_to(self.test_set)}", str(path))
        self.install_hub_chart(
            "upgrade", {"testSet": {"prefix": TEST_SET, "manifestSha256": self.plan.test_set_digest}}
        )
        self.at_hub.helm("test", HUB_RELEASE, "--namespace", HUB_NAMESPACE, "--logs")

    def make_model(self) -> None:
        """The example's, with these images' classes and the test set's digest; ready to be trained."""
        model = yaml.safe_load((CHECKOUT / "examples/model.yaml").read_text())
        model["spec"] |= {"classes": list(self.plan.classes), "highRiskClasses": list(self.plan.high_risk_classes)}
        model["spec"]["testSet"]["manifestSha256"] = self.plan.test_set_digest
        self.hub.apply(model)
        self.hub.kubectl("wait", "--for=condition=Ready", f"fm/{MODEL}", "-n", NETWORK, "--timeout=180s")

    def start_round(self, name: str, **changes: Any) -> None:
        """The example's round under another name; `changes` are of its spec."""
        round_ = yaml.safe_load((CHECKOUT / "examples/round.yaml").read_text())
        round_["metadata"]["name"] = name
        round_["spec"] |= changes
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(round_))
        self.hub.kubectl("apply", "-f", str(file))

    def round(self, name: str) -> Mapping[str, Any]:
        """The round as the hub has it."""
        found: Mapping[str, Any] = self.hub.get("fedrounds", name, "-n", NETWORK)
        return found

    def ended_round(self, name: str, seconds: float = 600) -> Mapping[str, Any]:
        """The round when it is over."""

        def look() -> Mapping[str, Any] | None:
            found = self.round(name)
            return found if condition(found, "Succeeded") else None

        return wait_for(look, f"the end of round {name}", seconds, self.told)

    def is_available(self, name: str) -> bool:
        """Whether the hub hears of the clinic."""
        found = self.hub.get("clinics.fedround.dev", name, "-n", NETWORK)
        status, _ = condition(found, "Available") or ("Unknown", "")
        return status == "True"

    # --- leaving

    def leave(self) -> None:
        """Remove all of it, whatever there is: clusters that were given are left as they were."""
        for name, access in self.ground.clinics.items():
            self.at_clinic[name].try_helm("uninstall", CLINIC_RELEASE, "--namespace", CLINIC_NAMESPACE)
            access.try_kubectl("delete", "namespace", CLINIC_NAMESPACE, "--ignore-not-found")
        self.at_hub.try_helm("uninstall", HUB_RELEASE, "--namespace", HUB_NAMESPACE)
        owned = [f"clinic-{name}" for name in self.clinics]
        self.hub.try_kubectl("delete", "namespace", HUB_NAMESPACE, NETWORK, *owned, "--ignore-not-found")
        self.hub.try_kubectl("delete", "crd", "--selector=app.kubernetes.io/part-of=fedround")

    def told(self) -> str:
        """The state of all clusters, for the eyes of who looks at a failure."""
        parts = [self.hub.told((HUB_NAMESPACE, NETWORK)), self.hub.try_kubectl("describe", "fr", "-n", NETWORK).stdout]
        parts += [access.told((CLINIC_NAMESPACE,)) for access in self.ground.clinics.values()]
        for access in self.ground.clinics.values():
            log = access.try_kubectl("logs", f"deployment/{CLINIC_RELEASE}-agent", "-n", CLINIC_NAMESPACE, "--tail=60")
            parts.append(log.stdout)
        return "\n".join(parts)


def condition(found: Mapping[str, Any], name: str) -> tuple[str, str] | None:
    """Status and reason of a condition that is True or False."""
    for one in found.get("status", {}).get("conditions", []):
        if one["type"] == name and one["status"] != "Unknown":
            return one["status"], one["reason"]
    return None


def duration(ended: Mapping[str, Any]) -> str:
    """How long a round was in which of its phases, for people."""
    since = [("apply", ended["metadata"]["creationTimestamp"])]
    since += sorted(
        ((one["type"], one["lastTransitionTime"]) for one in ended["status"]["conditions"]), key=lambda one: one[1]
    )
    instants = [datetime.fromisoformat(at) for _, at in since]
    return ", ".join(
        f"{name} +{(at - instants[0]).total_seconds():.0f} s" for (name, _), at in zip(since, instants, strict=True)
    )


def _packed(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, str(path.relative_to(folder)), recursive=False)
    return packed.getvalue()
