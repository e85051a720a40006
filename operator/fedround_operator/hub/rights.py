"""What the hub's operator must be allowed to do: RBAC rules no wider than its calls. Pure."""

from fedround_operator.kit.resources import Object

_SEE = ["list", "watch"]
_READ = ["get", *_SEE]


def cluster_rules() -> list[Object]:
    """The rules of the operator's ClusterRole."""
    fedround = ["fedround.dev"]
    return [
        {"apiGroups": fedround, "resources": ["federatedrounds", "federatedmodels", "clinics"], "verbs": _READ},
        {
            "apiGroups": fedround,
            "resources": ["federatedrounds/status", "federatedmodels/status", "clinics/status"],
            "verbs": ["patch"],
        },
        {"apiGroups": fedround, "resources": ["clinicrounds"], "verbs": [*_SEE, "create", "patch", "delete"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": [*_SEE, "create", "delete"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": _SEE},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": [*_READ, "create", "patch"]},
    ]
