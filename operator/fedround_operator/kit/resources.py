"""Which resources fedround touches and where the API server serves them. Pure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

Object = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource type."""

    group: str
    version: str
    plural: str

    @property
    def root(self) -> str:
        """The request path of the group and version, which answers with its resources (discovery)."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The request path of the collection, an object in it, or its subresource."""
        scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        item = f"/{quote(name, safe='')}" if name else ""
        sub = f"/{subresource}" if subresource else ""
        return f"{self.root}{scope}/{self.plural}{item}{sub}"


ROUNDS = Resource("fedround.dev", "v1alpha1", "federatedrounds")
MODELS = Resource("fedround.dev", "v1alpha1", "federatedmodels")
CLINICS = Resource("fedround.dev", "v1alpha1", "clinics")
CLINIC_ROUNDS = Resource("fedround.dev", "v1alpha1", "clinicrounds")
JOBS = Resource("batch", "v1", "jobs")
PODS = Resource("", "v1", "pods")
SECRETS = Resource("", "v1", "secrets")
CONFIG_MAPS = Resource("", "v1", "configmaps")
NAMESPACES = Resource("", "v1", "namespaces")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
EVENTS = Resource("", "v1", "events")


def query(**parameters: str | int | None) -> str:
    """A query string of the parameters that are set, with the leading question mark."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else ""


def selector(labels: dict[str, str]) -> str:
    """An equality-based label selector."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
