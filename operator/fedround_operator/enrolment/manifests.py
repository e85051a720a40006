"""What a member has on the hub. Pure."""

from collections.abc import Iterable, Mapping

from fedround_api import API_VERSION, names
from fedround_api.kinds import ClinicCertificate
from fedround_operator.agent.rights import hub_rules
from fedround_operator.kit.resources import Object

AGENT = "agent"
AGENT_TOKEN = "agent-token"  # noqa: S105 - the name of a Secret
RBAC = "rbac.authorization.k8s.io"


def door_objects(clinic: str, network: str) -> list[Object]:
    """The clinic's namespace on the hub and what is in it: an identity with its token, its rights, its Lease."""
    door = names.clinic_namespace(clinic)
    meta = {"name": AGENT, "namespace": door}
    part_of = {names.PART_OF: names.PART_OF_VALUE}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            # No pod is ever made here; should one be, it can do little.
            "metadata": {"name": door, "labels": {**part_of, "pod-security.kubernetes.io/enforce": "restricted"}},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": AGENT_TOKEN,
                "namespace": door,
                "annotations": {"kubernetes.io/service-account.name": AGENT},
            },
            "type": "kubernetes.io/service-account-token",
        },
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": meta, "rules": hub_rules()},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": AGENT},
            "subjects": [{"kind": "ServiceAccount", "name": AGENT, "namespace": door}],
        },
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": names.LEASE_NAME,
                "namespace": door,
                "labels": {**part_of, names.CLINIC_LABEL: clinic, names.NETWORK_LABEL: network},
            },
        },
    ]


def clinic_object(
    clinic: str, network: str, certificates: Iterable[ClinicCertificate], labels: Mapping[str, str] | None = None
) -> Object:
    """The member itself."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Clinic",
        "metadata": {"name": clinic, "namespace": network, "labels": dict(labels or {})},
        "spec": {"certificates": [one.dump() for one in certificates]},
    }
