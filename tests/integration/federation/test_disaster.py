"""The disaster drill of docs/operations.md, for real: a hub is lost while clinics train, and goes on from its backup.

What is lost: every object of the hub and of the clinics' doors on it, every object and key of its store. What is left
is what an administrator keeps (backup, authority, test set) and what clinics have (keys, certificates, workspaces). The
commands of `fedround` are those of the page; what Helm makes there is made here as the embedded federation makes it.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from fedround_api import names
from fedround_api.crd import definitions
from fedround_api.jobs import StoreAddress
from fedround_api.kinds import FederatedModel, FederatedRound, find_condition
from fedround_api.kinds.clinic import CERTIFICATE_VALID
from fedround_local.federation import layout, objects, runtime
from fedround_local.federation.enrolment import operator_rules
from fedround_local.federation.federation import ADMINISTRATOR, Federation
from fedround_local.objectstore import BUCKET, REGION
from fedround_operator.kit.api import connect
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.privatefiles import write_private
from fedround_operator.kit.resources import CLINIC_ROUNDS, CONFIG_MAPS, NAMESPACES, ROUNDS
from fedround_operator.kit.revokedlist import CONFIG_MAP, KEY, revoked_text
from support.federation_fixture import NETWORK, Network, message, outcome, running_network, wait_for
from support.markdown_pages import CHECKOUT, Page

pytestmark = pytest.mark.timeout(900)

SECTIONS = ("Backup", "A hub that is lost")
REVOKED = "dead" * 16


@dataclass(frozen=True)
class Before:
    """What was there before the loss; tokens and certificates by clinic."""

    model: FederatedModel
    round: FederatedRound
    report: bytes
    tokens: Mapping[str, bytes]
    certificates: Mapping[str, bytes]


@dataclass(frozen=True)
class Drill:
    """What is there after it, and what the commands said."""

    network: Network
    before: Before
    said: Mapping[str, str]
    folder: Path

    def call(self, line: str) -> "subprocess.CompletedProcess[str]":
        return call(self.network, self.folder, line)


def call(network: Network, folder: Path, line: str) -> "subprocess.CompletedProcess[str]":
    """A command line of the page, as its administrator types it beside the authority's folder."""
    gateway = network.federation.parts(network.record).gateway.settings.address
    line = line.replace("fedround.example.org:443", gateway).replace("127.0.0.1:8333", network.federation.store.address)
    environment = {**os.environ, "KUBECONFIG": str(network.federation.place.kubeconfig(ADMINISTRATOR))}
    command = [sys.executable, "-m", "fedround_cli.main", *shlex.split(line)[1:]]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def commands() -> list[str]:
    """What the page has an administrator type, but for Helm's and kubectl's part, in its order."""
    page = Page(CHECKOUT / "docs" / "operations.md")
    typed = [one for one in page.commands() if one.section in SECTIONS and not one.prose]
    return [shlex.join(one.words) for one in typed if one.words[0] == "fedround"]


def lose_the_hub(network: Network) -> None:
    """Everything but the clinics: their agents go on looking for it."""
    federation = network.federation
    network.kill(runtime.OPERATOR)
    network.kubectl("delete", "crd", *(one["metadata"]["name"] for one in definitions()))
    lost = [NETWORK, layout.SYSTEM_NAMESPACE, *map(names.clinic_namespace, network.clinics)]
    network.kubectl("delete", "namespace", *lost, "--timeout=120s")
    federation.store.stop()
    for path in federation.store.folder.iterdir():
        # The ports stay: they stand for the address by which a hub's values name its store.
        if path.name != "ports.json":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def install_anew(network: Network) -> Network:
    """A hub without any object, with another store and other keys: what the hub's chart makes."""
    federation = Federation(network.federation.place.state, print, unsafe_no_fsync=True)
    store, kubectl = federation.store, federation.kubectl
    store.start()
    keys = {"access-key": store.keys.hub.access_key, "secret-key": store.keys.hub.secret_key}
    for name, text in keys.items():
        write_private(federation.place.hub_keys / name, text.encode())
    kubectl.apply(definitions())
    kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    address = StoreAddress(endpoint=store.address, bucket=BUCKET, region=REGION, https=False)
    kubectl.apply([*objects.hub_objects(keys, address, operator_rules()), revoked_list()])
    return Network(federation)


def revoked_list(*fingerprints: str) -> dict[str, object]:
    meta = {"name": CONFIG_MAP, "namespace": layout.SYSTEM_NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {KEY: revoked_text(fingerprints)}}


def give_to_charts(network: Network, folder: Path) -> None:
    """What `helm upgrade` with the new file does in each clinic: the agent's Secret has another token."""
    for clinic in network.clinics:
        values = yaml.safe_load((folder / f"{clinic}-membership.yaml").read_text())
        write_private(network.federation.place.membership(clinic) / "token", values["hub"]["token"].encode())


def held(network: Network, name: str) -> dict[str, bytes]:
    return {clinic: (network.federation.place.membership(clinic) / name).read_bytes() for clinic in network.clinics}


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("disaster")
    backup, restore, readmit, *rest = commands()
    assert rest == []
    with running_network(folder) as old:
        (folder / "fedround-ca").symlink_to(old.federation.place.authority)
        old.federation.kubectl.apply([revoked_list(REVOKED)])
        admit(old, folder, "visitor")
        promoted = old.run_round("before", layout.MODEL)
        report = old.stored(f"rounds/{promoted.metadata.uid}/report.html")
        assert report is not None
        old.start_round("interrupted", layout.MODEL)
        wait_for(lambda: len(old.parts("interrupted")) == 3, "the clinics have their parts of it")
        said = {"backup": checked(call(old, folder, backup)), "running": call(old, folder, restore).stderr}
        checked(call(old, folder, "fedround clinic revoke visitor --ca fedround-ca"))
        admit(old, folder, "newcomer")
        before = Before(old.model(layout.MODEL), promoted, report, held(old, "token"), held(old, "tls.crt"))

        lose_the_hub(old)
        new = install_anew(old)
        said["restore"] = checked(call(new, folder, restore))
        said["again"] = checked(call(new, folder, restore))
        said["readmit"] = checked(call(new, folder, readmit))
        give_to_charts(new, folder)
        new.start_all()
        new.await_available()
        yield Drill(new, before, said, folder)


def admit(network: Network, folder: Path, clinic: str) -> None:
    """As a member without an agent."""
    checked(call(network, folder, f"fedround clinic request {clinic} --key-file {clinic}.key"))
    approve = f"fedround clinic approve {clinic}.csr --ca fedround-ca --gateway fedround.example.org:443"
    checked(call(network, folder, approve))


def checked(ended: "subprocess.CompletedProcess[str]") -> str:
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_hub_whose_operator_runs_is_not_restored(drill: Drill) -> None:
    assert "the hub's operator runs: stop it (`kubectl scale deployment -n fedround-system" in drill.said["running"]


def test_the_backup_says_what_is_in_it_and_what_is_not(drill: Drill) -> None:
    assert drill.said["backup"].splitlines()[:2] == [
        "wrote hub.tar: 1 models, 1 rounds, 4 clinics, 1 revoked, 4 objects",
        "left out, since they had not ended: interrupted",
    ]


def test_a_restore_that_is_called_again_says_the_same(drill: Drill) -> None:
    assert drill.said["restore"].splitlines()[1] == f"model {layout.MODEL}: version 1 is the current one"
    assert drill.said["again"] == drill.said["restore"]


def test_the_pointers_and_the_history_are_those_of_before(drill: Drill) -> None:
    before, after = drill.before.model.status, drill.network.model(layout.MODEL).status

    assert before.current is not None
    assert (before.current.version, before.current.round) == (1, "before")
    assert after.current == before.current
    assert after.released == before.released
    assert (after.history, after.evaluations) == (before.history, 1)
    assert drill.network.model(layout.MODEL).metadata.uid != drill.before.model.metadata.uid


def test_the_round_that_ran_is_gone_and_the_model_free(drill: Drill) -> None:
    assert drill.before.model.status.active_round is not None
    assert [one["metadata"]["name"] for one in drill.network.api.list(ROUNDS, NETWORK)] == ["before"]
    assert drill.network.model(layout.MODEL).status.active_round is None
    assert drill.network.api.list(CLINIC_ROUNDS) == []


def test_a_round_of_before_keeps_its_verdict_and_its_report(drill: Drill) -> None:
    after = drill.network.round("before")
    fetched = drill.call("fedround report before --output before.html")

    assert after.metadata.uid != drill.before.round.metadata.uid
    assert after.status == drill.before.round.status
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert (drill.folder / "before.html").read_bytes() == drill.before.report


def test_the_current_version_can_be_fetched(drill: Drill) -> None:
    fetched = drill.call(f"fedround checkpoint {layout.MODEL} --json --output current.safetensors")

    assert drill.before.model.status.current is not None
    assert json.loads(fetched.stdout)["sha256"] == drill.before.model.status.current.digest


def test_revoked_certificates_stay_revoked(drill: Drill) -> None:
    found = drill.network.api.get(CONFIG_MAPS, layout.SYSTEM_NAMESPACE, CONFIG_MAP)

    (visitor,) = drill.network.clinic("visitor").spec.certificates
    assert set(found["data"][KEY].splitlines()[1:]) == {f"{REVOKED} yes", f"{visitor.sha256} yes"}


def test_who_was_revoked_after_the_backup_stays_out_and_who_was_admitted_after_it_is_in(drill: Drill) -> None:
    visitor, newcomer = (drill.network.clinic(name).spec for name in ("visitor", "newcomer"))

    assert (visitor.suspended, visitor.certificate) == (True, None)
    assert newcomer.certificate is not None
    said = drill.said["restore"].splitlines()
    at = next(number for number, line in enumerate(said) if line.startswith("taken from the authority's journal"))
    assert [line.split(" ", 3)[3] for line in said[at + 1 : at + 3]] == [
        "visitor: revoked, 1 certificate",
        "newcomer: 1 certificate issued",
    ]
    given = yaml.safe_load((drill.folder / "newcomer-membership.yaml").read_text())
    assert given["hub"]["certificate"] == newcomer.certificate.pem
    assert "visitor" not in drill.said["readmit"]


def test_a_clinic_is_known_by_the_certificate_that_it_had(drill: Drill) -> None:
    certificates = held(drill.network, "tls.crt")
    for name in drill.network.clinics:
        clinic = drill.network.clinic(name)
        valid = find_condition(clinic.status.conditions, CERTIFICATE_VALID)
        assert valid is not None
        assert valid.status == "True"
        assert clinic.spec.certificate is not None
        assert clinic.spec.certificate.pem.encode() == certificates[name] == drill.before.certificates[name]


def test_a_token_of_the_lost_hub_opens_nothing(drill: Drill) -> None:
    """The certificate is let in, with the new token; with the old one the API server refuses."""
    clinic = drill.network.clinics[0]
    kubeconfig = drill.network.federation.place.kubeconfig(f"agent-{clinic}-hub")
    document = yaml.safe_load(kubeconfig.read_text())
    assert document["users"][0]["user"]["token"].encode() == drill.before.tokens[clinic]
    namespace = names.clinic_namespace(clinic)

    with pytest.raises(ApiError, match="401"):
        connect(kubeconfig).list(CLINIC_ROUNDS, namespace)
    document["users"][0]["user"]["token"] = held(drill.network, "token")[clinic].decode()
    renewed = drill.folder / "renewed.conf"
    renewed.write_text(yaml.safe_dump(document))
    assert connect(renewed).list(CLINIC_ROUNDS, namespace) == []


def test_a_backup_is_not_restored_over_a_hub_that_has_gone_on(drill: Drill) -> None:
    drill.network.kill(runtime.OPERATOR)
    try:
        # Else the one that was killed counts as running for a quarter of a minute.
        drill.network.kubectl("delete", "lease", "-n", layout.SYSTEM_NAMESPACE, "fedround-operator")
        refused = drill.call("fedround hub restore hub.tar")
    finally:
        drill.network.start_all()

    assert (refused.returncode, refused.stderr) == (
        1,
        "fedround: the hub has clinics childrens already, which is not what the backup has: restore into a hub without "
        "models, rounds and clinics\n",
    )


def test_the_next_round_starts_from_the_restored_version_after_all_else_in_the_store_was_deleted(drill: Drill) -> None:
    """What docs/operations.md lets a rule or a person delete: reports, candidates, updates, older versions."""
    current = drill.before.model.status.current
    assert current is not None
    kept = f"published/{layout.MODEL}/{current.digest}.safetensors"
    store = drill.network.store()
    found = {one.object_name for one in store.list_objects(BUCKET, recursive=True)}
    assert kept in found
    assert len(found) == 4
    for key in found - {kept}:
        store.remove_object(BUCKET, str(key))

    ended = drill.network.run_round("after", layout.MODEL)

    assert ended.status.phase in ("Promoted", "RolledBack"), f"{outcome(ended)}: {message(ended)}"
    assert ended.status.base is not None
    assert (ended.status.base.version, ended.status.base.digest) == (1, current.digest)
    assert ended.status.participation == "3/3"
    pointer = drill.network.model(layout.MODEL).status.current
    assert pointer is not None
    assert pointer.version == (2 if ended.status.phase == "Promoted" else 1)
    lost = drill.call("fedround report before")
    assert (lost.returncode, "NoSuchKey" in lost.stderr) == (1, True)
    assert json.loads(drill.call("fedround hub backup later.tar --json").stdout)["missing"] == sorted(
        found - {kept}, key=lambda key: (not str(key).startswith("published/"), "html" in str(key))
    )


def test_namespaces_of_the_clinics_are_those_that_enrolment_makes(drill: Drill) -> None:
    made = drill.network.api.get(NAMESPACES, "", names.clinic_namespace(drill.network.clinics[0]))

    assert made["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
