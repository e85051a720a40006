"""The configuration of a cluster's components, as pure functions of its place: texts and command lines.

Kubernetes 1.34, containerd 1.6 with runc, the bridge of the CNI plugins, CoreDNS. The control plane's three programs
are those of the embedded federation; the node's come from the second command of the same Go module.
"""

import json
from collections.abc import Mapping

from fedround_local.processes import ProcessSpec
from support.clusters.place import API_PORT, DNS_SERVICE, DOMAIN, POD_RANGE, SERVICE_RANGE, Place, Programs

_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
#: Packets of new connections wait in this queue for the enforcer of NetworkPolicies.
QUEUE = 100


def etcd(place: Place, programs: Programs) -> ProcessSpec:
    """Without fsync: nothing of a test's cluster has to survive a loss of power."""
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    argv = [
        *(str(programs.controlplane), "etcd", "--name=m", f"--data-dir={place.folder / 'etcd'}", "--unsafe-no-fsync"),
        *("--log-level=warn", f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
        *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=m={peer}"),
    ]
    return _spec("etcd", argv)


def api_server(place: Place, programs: Programs) -> ProcessSpec:
    pki = place.pki
    argv = [
        *(str(programs.controlplane), "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379"),
        *(f"--secure-port={API_PORT}", f"--advertise-address={place.address}"),
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
        *(f"--client-ca-file={pki / 'ca.crt'}", f"--service-cluster-ip-range={SERVICE_RANGE}", "--profiling=false"),
        *(f"--tls-cert-file={pki / 'apiserver.crt'}", f"--tls-private-key-file={pki / 'apiserver.key'}"),
        f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
        *(f"--service-account-key-file={pki / 'sa.pub'}", f"--service-account-signing-key-file={pki / 'sa.key'}"),
        *(f"--kubelet-certificate-authority={pki / 'ca.crt'}", "--kubelet-preferred-address-types=InternalIP"),
        f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'kubelet-client.key'}",
    ]
    return _spec("kube-apiserver", argv)


def controller_manager(place: Place, programs: Programs) -> ProcessSpec:
    """All controllers: Deployments, Services' endpoints and claims need more of them than the embedded federation."""
    config = place.kubeconfig("controller-manager")
    argv = [
        *(str(programs.controlplane), "kube-controller-manager", f"--kubeconfig={config}", "--secure-port=0"),
        *("--leader-elect=false", "--use-service-account-credentials", "--profiling=false"),
        *(f"--service-account-private-key-file={place.pki / 'sa.key'}", f"--root-ca-file={place.pki / 'ca.crt'}"),
    ]
    return _spec("kube-controller-manager", argv)


def scheduler(place: Place, programs: Programs) -> ProcessSpec:
    config = place.kubeconfig("scheduler")
    argv = [*(str(programs.node), "kube-scheduler", f"--kubeconfig={config}"), "--leader-elect=false"]
    ports = ["--secure-port=10259", "--bind-address=127.0.0.1"]
    access = [f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}"]
    return _spec("kube-scheduler", [*argv, *ports, *access])


def containerd(place: Place) -> ProcessSpec:
    return _spec("containerd", ["containerd", "--config", str(place.folder / "containerd.toml")])


def kubelet(place: Place, programs: Programs) -> ProcessSpec:
    argv = [
        *(str(programs.node), "kubelet", f"--config={place.folder / 'kubelet.json'}"),
        *(f"--kubeconfig={place.kubeconfig('kubelet')}", f"--root-dir={place.folder / 'kubelet'}"),
        *(f"--cert-dir={place.pki}", f"--hostname-override={place.node}", f"--node-ip={place.address}"),
    ]
    return _spec("kubelet", argv)


def proxy(place: Place, programs: Programs) -> ProcessSpec:
    return _spec("kube-proxy", [str(programs.node), "kube-proxy", f"--config={place.folder / 'proxy.json'}"])


def enforcer(place: Place, programs: Programs) -> ProcessSpec:
    config = place.kubeconfig("enforcer")
    argv = [str(programs.node), "netpold", f"--kubeconfig={config}", f"--node={place.node}", f"--queue={QUEUE}"]
    return _spec("netpold", argv)


def dns(place: Place, programs: Programs) -> ProcessSpec:
    return _spec("dns", [str(programs.dns), "-conf", str(place.folder / "Corefile")])


def files(place: Place) -> Mapping[str, str]:
    """Every file that a component reads, by its path below the cluster's folder."""
    return {
        "containerd.toml": _containerd_toml(place),
        "cni/10-bridge.conflist": json.dumps(_bridge(place)),
        "kubelet.json": json.dumps(_kubelet(place)),
        "proxy.json": json.dumps(_proxy(place)),
        "Corefile": _corefile(place),
        "resolv.conf": "nameserver 127.0.0.1\n",
    }


def _containerd_toml(place: Place) -> str:
    # Without restrict_oom_score_adj no sandbox starts where the capability CAP_SYS_RESOURCE is missing.
    return f"""
version = 2
root = "{place.folder}/containerd"
state = "{place.run}/containerd"
[grpc]
  address = "{place.containerd}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_tcp_service = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{place.folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "{place.run}/runc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{place.folder}/opt"
"""


def _bridge(place: Place) -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "dataDir": str(place.folder / "addresses"),
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": place.name, "plugins": [{**bridge, "ipam": addresses}, ports]}


def _kubelet(place: Place) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": place.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(place.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(place.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(place.pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{place.containerd}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{place.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "podLogsDir": str(place.folder / "podlogs"),
        "resolvConf": str(place.folder / "resolv.conf"),
        "clusterDomain": DOMAIN,
        "clusterDNS": [DNS_SERVICE],
        "healthzBindAddress": "127.0.0.1",
        # The disk is shared with whatever else this machine does; only a full one counts.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 60,
    }


def _proxy(place: Place) -> dict[str, object]:
    # Three zeros: the kernel's limits for tracked connections are the machine's, not a cluster's to set.
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(place.kubeconfig("proxy"))},
        "mode": "nftables",
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": place.node,
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }


def _corefile(place: Place) -> str:
    """Names of the cluster and no others: what a chart does not say, a test must not reach."""
    kubernetes = f"kubernetes {DOMAIN} in-addr.arpa {{\n  kubeconfig {place.kubeconfig('dns')}\n  ttl 2\n }}"
    return f".:53 {{\n bind {place.address}\n errors\n cache 2\n {kubernetes}\n}}\n"


def dns_objects(place: Place) -> list[dict[str, object]]:
    """The Service that pods ask for names: it stands for a CoreDNS on the node, so that policies meet it as usual."""
    name: dict[str, object] = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [
        {"name": port, "protocol": protocol, "port": 53} for port, protocol in (("dns", "UDP"), ("dns-tcp", "TCP"))
    ]
    endpoints: dict[str, object] = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**name, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [place.address], "conditions": {"ready": True}}],
    }
    service: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**name, "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": DNS_SERVICE, "ports": ports},
    }
    return [service, endpoints]


def _spec(name: str, argv: list[str]) -> ProcessSpec:
    return ProcessSpec(name=name, argv=tuple(argv), env={**_PATH, "GOGC": "50"})
