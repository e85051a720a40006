"""What is done once for a hub and its clinics: rights, certificates, tokens, kubeconfigs.

A clinic's private key is made in the clinic's own folder; only a request goes to the federation's CA. Called when a
federation is set up.
"""

import base64
import json
from collections.abc import Mapping, Sequence

from fedround_api import names
from fedround_api.crd import definitions
from fedround_api.jobs import StoreAddress
from fedround_api.kinds.policy import ClinicPolicy, ClinicPolicySpec, PrivacyPolicy, TrainingPolicy
from fedround_local.cluster import Cluster
from fedround_local.federation import layout, objects, runtime
from fedround_local.federation.dataplan import DataPlan
from fedround_local.federation.kubectl import Kubectl
from fedround_local.federation.layout import Layout
from fedround_local.kubeconfig import write_kubeconfig
from fedround_local.node.api import Api, ApiError
from fedround_local.node.rbac import node_manifests, node_user
from fedround_local.objectstore import BUCKET, REGION, StoreKey
from fedround_local.processes import Processes, Report
from fedround_operator.agent import rights as agent_rights
from fedround_operator.enrolment.certificates import record_of
from fedround_operator.enrolment.manifests import AGENT_TOKEN, clinic_object, door_objects
from fedround_operator.hub import rights as hub_rights
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.kit import pki
from fedround_operator.kit.privatefiles import write_private


class Enrolment:
    """Sets up the hub and enrols clinics in a running control plane."""

    def __init__(self, place: Layout, cluster: Cluster, kubectl: Kubectl, processes: Processes) -> None:
        self._place, self._cluster, self._kubectl, self._processes = place, cluster, kubectl, processes

    @property
    def authority(self) -> pki.Authority:
        """The federation's CA."""
        return federation_authority(self._place)

    def set_up(self, plan: DataPlan, store_key: StoreKey, store_address: str) -> None:
        """Apply the kinds, the hub's objects and the clinics'; the model comes after, when all else is there."""
        store_keys = {"access-key": store_key.access_key, "secret-key": store_key.secret_key}
        self._place.hub_keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in store_keys.items():
            write_private(self._place.hub_keys / name, text.encode())
        self._kubectl.apply(definitions())
        self._kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        store = StoreAddress(endpoint=store_address, bucket=BUCKET, region=REGION, https=False)
        hub = objects.hub_objects(store_keys, store, operator_rules())
        clinics = [one for name, cases in plan.clinics.items() for one in self._clinic(name, cases)]
        self._kubectl.apply([*node_manifests(layout.NODE_NAME), *hub, *clinics])

    def write_kubeconfigs(self, clinics: Sequence[str], gateway: str, report: Report) -> None:
        """A kubeconfig for each actor, and each clinic's membership.

        A second one of a clinic leads to the hub through the gateway, for people: the agent has its own way there.
        """
        cluster, place = self._cluster, self._place
        cluster.write_user(place.kubeconfig(runtime.NODE), node_user(layout.NODE_NAME))
        cluster.authority.issue_server("node", ("127.0.0.1",)).write(cluster.layout.pki, "node")
        cluster.write_user(place.kubeconfig(runtime.OPERATOR), objects.OPERATOR_USER)
        for clinic in clinics:
            actor = runtime.agent_name(clinic)
            home = layout.local_namespace(clinic)
            cluster.write_user(place.kubeconfig(actor), objects.agent_user(clinic), namespace=home)
            token = self._token(clinic, report)
            self._write_membership(clinic, token)
            write_kubeconfig(
                place.kubeconfig(f"{actor}-hub"),
                f"https://{gateway}",
                self.authority.certificate_pem,
                credential=_credential(place, clinic),
                token=token,
                namespace=names.clinic_namespace(clinic),
            )

    def _clinic(self, clinic: str, cases: int) -> list[objects.Object]:
        folder = self._place.clinic(clinic)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key, request = pki.request_certificate(clinic)
        credential = pki.Credential(key, self.authority.sign_clinic(request))
        credential.write(folder, "tls")
        self._place.policy(clinic).write_text(policy_text(cases))
        files = {
            "tls.crt": credential.certificate_pem.decode(),
            "tls.key": key.decode(),
            "ca.crt": self.authority.certificate_pem.decode(),
        }
        rules = [*agent_rights.local_rules(layout.ACCOUNT), *agent_rights.identity_rules(layout.CERTIFICATE_SECRET)]
        return [
            *door_objects(clinic, layout.NETWORK_NAMESPACE),
            clinic_object(clinic, layout.NETWORK_NAMESPACE, [record_of(credential.certificate_pem)]),
            *objects.home_objects(clinic, rules),
            objects.certificate_secret(clinic, files),
        ]

    def _write_membership(self, clinic: str, token: str) -> None:
        """What a clinic elsewhere gets as one file from the administrator: for its agent, and in its own cluster."""
        folder = self._place.membership(clinic)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        certificates = {
            "ca.crt": self.authority.certificate_pem.decode(),
            "tls.crt": _credential(self._place, clinic).certificate_pem.decode(),
        }
        files = {**certificates, "token": token}
        for name, text in files.items():
            write_private(folder / name, text.encode())
        self._kubectl.apply([objects.secret(layout.local_namespace(clinic), layout.MEMBERSHIP_SECRET, files)])

    def _token(self, clinic: str, report: Report) -> str:
        """The token that the control plane makes for the agent's ServiceAccount."""
        api = Api(self._cluster.admin_kubeconfig)
        path = f"/api/v1/namespaces/{names.clinic_namespace(clinic)}/secrets/{AGENT_TOKEN}"
        found: dict[str, str] = {}

        def there() -> bool:
            try:
                found.update(api.get(path).get("data") or {})
            except ApiError:
                return False
            return "token" in found

        self._processes.wait_until(there, f"the token of clinic {clinic}", report=report)
        return base64.b64decode(found["token"]).decode()


def operator_rules() -> objects.OperatorRules:
    """What the hub's operator may do."""
    own = hub_rights.lease_rules(OPERATOR_LEASE)
    return objects.OperatorRules(hub_rights.cluster_rules(), hub_rights.network_rules(), own)


def federation_authority(place: Layout) -> pki.Authority:
    """The federation's CA, made at the first call."""
    return pki.Authority.ensure(place.authority, "ca", "fedround-federation")


def policy_text(cases: int) -> str:
    """A policy that lets the clinic take part without noise, and on a kernel that can lock nothing in: the demo's data
    may be used so. JSON is YAML.
    """
    policy: Mapping[str, object] = ClinicPolicy(
        api_version="fedround.dev/v1alpha1",
        kind="ClinicPolicy",
        spec=ClinicPolicySpec(
            case_volume=cases,
            privacy=PrivacyPolicy(allow_none=True, report_case_counts=True),
            training=TrainingPolicy(allow_unlocked=True),
        ),
    ).dump()
    return json.dumps(policy, indent=2) + "\n"


def _credential(place: Layout, clinic: str) -> pki.Credential:
    folder = place.clinic(clinic)
    return pki.Credential((folder / "tls.key").read_bytes(), (folder / "tls.crt").read_bytes())
