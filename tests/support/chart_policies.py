"""What hospitals ask of every pod and object of the charts, as far as a manifest says it. Exceptions have reasons."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from support.charts import Object, of_kind, pods

# Caddy's own image gives its program this capability in the file system, and the kernel starts no program that has more
# than its container may have. Pod Security `restricted` allows it.
MAY_BIND_LOW_PORTS = {"gateway"}
# Those that talk to a Kubernetes API. In the gateway's pod a volume gives it to two containers of three.
WITH_A_TOKEN = {"operator", "agent"}
# They run once and end.
WITHOUT_PROBES = {"check", "bucket", "revoked-first"}
# It listens to nobody; what it does is seen at the gateway, and it ends when it fails.
WITHOUT_PORT = {"revocations"}


def pods_are_restricted(objects: list[Object]) -> None:
    """Nobody's process is root, writes to its image, gains rights or shares the node's namespaces."""
    for pod in pods(objects):
        security = pod.spec["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & pod.spec.keys()
        for container in pod.containers:
            own = container["securityContext"]
            added = {"add": ["NET_BIND_SERVICE"]} if container["name"] in MAY_BIND_LOW_PORTS else {}
            assert own == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"], **added},
            }, container["name"]


def volumes_are_those_that_a_namespace_may_have(objects: list[Object]) -> None:
    """And each is mounted."""
    for pod in pods(objects):
        kinds = {kind for volume in pod.spec["volumes"] for kind in volume if kind != "name"}
        named = {volume["name"] for volume in pod.spec["volumes"]}
        mounted = {mount["name"] for container in pod.containers for mount in container["volumeMounts"]}

        assert kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"}
        assert mounted == named


def only_what_calls_the_api_gets_a_token(objects: list[Object]) -> None:
    """Of the pod's account; and no pod gets variables by the names of Services."""
    for pod in pods(objects):
        names = {container["name"] for container in pod.containers}

        assert pod.spec["automountServiceAccountToken"] is bool(names & WITH_A_TOKEN)
        # They would set FEDROUND_... variables of their own.
        assert pod.spec["enableServiceLinks"] is False


def memory_is_bounded(objects: list[Object]) -> None:
    """And every container says what it needs."""
    for pod in pods(objects):
        for container in pod.containers:
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}, container["name"]
            # No limit of CPU: it would only slow down what could use an idle core.
            assert set(container["resources"]["limits"]) == {"memory"}, container["name"]


def what_runs_on_is_probed(objects: list[Object]) -> None:
    """At a port that it has."""
    for container in (one for pod in pods(objects) for one in pod.containers):
        if container["name"] in WITHOUT_PROBES | WITHOUT_PORT:
            continue
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[probe].get("httpGet") or container[probe]["tcpSocket"]
            assert asked["port"] in ports, (container["name"], probe)


def services_lead_to_pods_that_are_there(objects: list[Object]) -> None:
    """Each to the pods of one Deployment, by the labels that these have."""
    for service in of_kind(objects, "Service"):
        wanted = service["spec"]["selector"].items()
        (pod,) = [one for one in pods(objects) if wanted <= one.labels.items()]
        ports = {port["name"] for container in pod.containers for port in container.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def no_right_is_a_wildcard(objects: list[Object]) -> None:
    """Neither groups nor resources nor verbs."""
    for one in objects:
        for rule in one.get("rules", []):
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], one["metadata"]["name"]


# Values of these fields are texts, and so is every value of those maps. Kinds and dashboards are files, not templates.
_TEXTS = {"name", "namespace", "secretName", "claimName", "serviceAccountName", "storageClassName", "image", "value"}
_MAPS_OF_TEXTS = {"labels", "matchLabels", "annotations", "nodeSelector"}
_LISTS_OF_TEXTS = {"resourceNames", "resources", "verbs", "apiGroups", "command"}


def texts_are_texts(objects: list[Object]) -> None:
    """Whatever they look like to YAML: a release that is called 123, a Secret called true. And nothing is null."""
    for one in objects:
        if one["kind"] != "CustomResourceDefinition":
            for path, value in _fields(one, one["kind"]):
                assert value is not None, path
            others = [path for path, value in _texts(one, one["kind"]) if not isinstance(value, str)]
            assert not others, others
        assert all(isinstance(value, str) for value in one.get("data", {}).values()), one["metadata"]["name"]


def _fields(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, node
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, part in parts:
        yield from _fields(part, f"{path}.{name}")


def _texts(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, list):
        for number, part in enumerate(node):
            yield from _texts(part, f"{path}[{number}]")
    if not isinstance(node, dict):
        return
    for name, part in node.items():
        here = f"{path}.{name}"
        if name in _TEXTS:
            yield here, part
        elif name in _MAPS_OF_TEXTS or (name == "selector" and path == "Service.spec"):
            yield from ((f"{here}.{label}", value) for label, value in part.items())
        elif name in _LISTS_OF_TEXTS and isinstance(part, list):
            yield from ((here, value) for value in part)
        else:
            yield from _texts(part, here)


_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def names_are_such_as_an_api_server_takes(objects: list[Object]) -> None:
    """A Service's begins with a letter and has no dot; others are parts of such names, with dots in between."""
    for one in objects:
        name = one["metadata"]["name"]
        assert len(name) <= 63
        if one["kind"] == "Service":
            assert _SERVICE.fullmatch(name), name
        assert all(_LABEL.fullmatch(part) for part in name.split(".")), name


POLICIES: Mapping[str, Callable[[list[Object]], None]] = {
    policy.__name__.replace("_", " "): policy
    for policy in (
        pods_are_restricted,
        volumes_are_those_that_a_namespace_may_have,
        only_what_calls_the_api_gets_a_token,
        memory_is_bounded,
        what_runs_on_is_probed,
        services_lead_to_pods_that_are_there,
        no_right_is_a_wildcard,
        texts_are_texts,
        names_are_such_as_an_api_server_takes,
    )
}
