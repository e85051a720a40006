"""What the hub's operator must be allowed to do: RBAC rules no wider than its calls. Pure.

Only what lies in clinics' namespaces is cluster-wide, since there is one for each clinic. All else is in two Roles: of
the network's namespace, and of the one that the operator itself runs in.
"""

from fedround_operator.kit.resources import Object

_SEE = ["list", "watch"]
_READ = ["get", *_SEE]
_FEDROUND = ["fedround.dev"]
_LEASES: Object = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}


def cluster_rules() -> list[Object]:
    """The rules of the operator's ClusterRole: for clinics' parts and signs of life."""
    return [
        {"apiGroups": _FEDROUND, "resources": ["clinicrounds"], "verbs": [*_SEE, "create", "patch", "delete"]},
        {**_LEASES, "verbs": _READ},
    ]


def network_rules() -> list[Object]:
    """The rules of its Role in the network's namespace."""
    return [
        {"apiGroups": _FEDROUND, "resources": ["federatedrounds", "federatedmodels", "clinics"], "verbs": _READ},
        {
            "apiGroups": _FEDROUND,
            "resources": ["federatedrounds/status", "federatedmodels/status", "clinics/status"],
            "verbs": ["patch"],
        },
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": [*_SEE, "create", "delete"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": _SEE},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    ]


def lease_rules(name: str) -> list[Object]:
    """The rules of its Role in its own namespace, for the Lease of this name: it lets one operator work at a time."""
    return [
        # What is to be created has no name yet, as far as RBAC can tell.
        {**_LEASES, "verbs": ["create"]},
        {**_LEASES, "resourceNames": [name], "verbs": ["get", "patch"]},
    ]
