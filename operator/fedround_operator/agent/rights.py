"""What the agent must be allowed to do: RBAC rules no wider than its calls. Pure.

Both are Roles, of the clinic's namespace on the hub and of its namespace in its own cluster; nothing is cluster-wide.
"""

from fedround_api.names import LEASE_NAME
from fedround_operator.kit.resources import Object


def hub_rules() -> list[Object]:
    """The rules for the clinic's ServiceAccount on the hub."""
    fedround = ["fedround.dev"]
    return [
        {"apiGroups": fedround, "resources": ["clinicrounds"], "verbs": ["list", "watch"]},
        {"apiGroups": fedround, "resources": ["clinicrounds/status"], "verbs": ["patch"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [LEASE_NAME],
            "verbs": ["patch"],
        },
    ]


def identity_rules(secret: str) -> list[Object]:
    """The rules for the Secret that holds the clinic's key and certificate, in its own cluster; the key may be read."""
    return [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret], "verbs": ["get", "patch"]}]


def local_rules(account: str) -> list[Object]:
    """The rules for the agent's ServiceAccount, of this name, in the clinic's cluster."""
    return [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list", "create", "delete"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        # Its UID, to which the Jobs belong.
        {"apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": [account], "verbs": ["get"]},
    ]
