"""What a process node may do at the API server: a user of its own, and the rights that its code uses. Pure."""

from fedround_local.node.pod import Json

USER_PREFIX = "fedround-node:"


def node_user(node_name: str) -> str:
    """The common name of the node's client certificate."""
    return f"{USER_PREFIX}{node_name}"


def node_manifests(node_name: str) -> tuple[Json, ...]:
    """ClusterRole and ClusterRoleBinding. Reading every Secret is the price of running any pod."""
    name = f"fedround-process-node-{node_name}"
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [
            _rule("nodes", "create"),
            _rule("nodes", "patch", named=node_name),
            _rule("nodes/status", "patch", named=node_name),
            _rule("pods", "list", "watch", "delete"),
            _rule("pods/binding", "create"),
            _rule("pods/status", "patch"),
            _rule("secrets", "get"),
            _rule("configmaps", "get"),
            _rule("persistentvolumeclaims", "get"),
            _rule("persistentvolumeclaims/status", "patch"),
        ],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": node_user(node_name)}],
    }
    return (role, binding)


def _rule(resource: str, *verbs: str, named: str | None = None) -> Json:
    rule: Json = {"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}
    return rule if named is None else rule | {"resourceNames": [named]}
