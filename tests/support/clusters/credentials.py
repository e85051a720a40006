"""A cluster's certificates and kubeconfigs, made once before it starts."""

from fedround_local.kubeconfig import write_kubeconfig
from fedround_operator.kit.pki import Authority, signing_key
from fedround_operator.kit.privatefiles import write_private
from support.clusters.place import API_SERVICE, DOMAIN, Place

#: Each component as the user that Kubernetes' built-in roles know.
_USERS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "proxy": ("system:kube-proxy", None),
    # What the enforcer and the name server read is spread over several built-in roles; they are parts of the test.
    "enforcer": ("netpold", "system:masters"),
    "dns": ("dns", "system:masters"),
}


def write_credentials(place: Place) -> None:
    """Everything below `pki` and `kubeconfigs`."""
    authority = Authority.ensure(place.pki, "ca", f"{place.name}-cluster")
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DOMAIN}")
    authority.issue_server("kube-apiserver", (*names, "127.0.0.1", API_SERVICE, place.address)).write(
        place.pki, "apiserver"
    )
    authority.issue_server(place.node, (place.node, place.address, "127.0.0.1")).write(place.pki, "kubelet")
    authority.issue_client("kube-apiserver-kubelet-client", "system:masters").write(place.pki, "kubelet-client")
    private, public = signing_key()
    write_private(place.pki / "sa.key", private)
    (place.pki / "sa.pub").write_bytes(public)
    users = {**_USERS, "kubelet": (f"system:node:{place.node}", "system:nodes")}
    for user, (name, group) in users.items():
        credential = authority.issue_client(name, group)
        write_kubeconfig(place.kubeconfig(user), place.server, authority.certificate_pem, credential=credential)
