"""The objects that make a hub and its clinics: namespaces, rights, claims, Secrets, Leases, the model. Pure."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedround_api import API_VERSION, names
from fedround_api.jobs import StoreAddress
from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import Architecture, FederatedModelSpec, Gate, InitialCheckpoint, TestSet
from fedround_local.federation import layout
from fedround_local.federation.dataplan import DataPlan

Object = dict[str, Any]

AGENT = "agent"
OPERATOR_USER = "fedround-operator"
_RBAC = "rbac.authorization.k8s.io"
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
_PART_OF = {names.PART_OF: names.PART_OF_VALUE}


def agent_user(clinic: str) -> str:
    """The agent's name in the clinic's own cluster."""
    return f"fedround-agent:{clinic}"


@dataclass(frozen=True)
class OperatorRules:
    """What the hub's operator may do: in every namespace, in the network's and in its own."""

    everywhere: list[Object]
    network: list[Object]
    own: list[Object]


def hub_objects(keys: Mapping[str, str], store: StoreAddress, rules: OperatorRules) -> list[Object]:
    """What the hub needs before its operator starts; ``keys`` open the store."""
    operator = {"apiGroup": _RBAC, "kind": "User", "name": OPERATOR_USER}
    return [
        namespace(layout.SYSTEM_NAMESPACE),
        namespace(layout.NETWORK_NAMESPACE, _RESTRICTED),
        _named("ClusterRole", OPERATOR_USER, rules=rules.everywhere),
        _named(
            "ClusterRoleBinding",
            OPERATOR_USER,
            roleRef={"apiGroup": _RBAC, "kind": "ClusterRole", "name": OPERATOR_USER},
            subjects=[operator],
        ),
        *_bound_role(layout.NETWORK_NAMESPACE, OPERATOR_USER, rules.network, operator),
        *_bound_role(layout.SYSTEM_NAMESPACE, OPERATOR_USER, rules.own, operator),
        secret(layout.NETWORK_NAMESPACE, layout.STORE_SECRET, keys),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": names.STORE_CONFIG_MAP, "namespace": layout.NETWORK_NAMESPACE},
            "data": {**store.dump(), "https": json.dumps(store.https), "secret": layout.STORE_SECRET},
        },
        claim(layout.NETWORK_NAMESPACE, layout.TEST_SET_CLAIM),
    ]


def shape(plan: DataPlan, image_size: int) -> ModelShape:
    """What a checkpoint of that model has to fit."""
    return ModelShape(
        name=layout.MODEL,
        architecture=Architecture.TINY_GN,
        classes=list(plan.classes),
        high_risk_classes=list(plan.high_risk_classes),
        image_size=image_size,
    )


def model(
    plan: DataPlan, image_size: int, seed: int, gate: Gate, initial: InitialCheckpoint | None = None
) -> list[Object]:
    """The model that the clinics train, after the claim of the checkpoint that it starts from, if it has one."""
    spec = FederatedModelSpec(
        architecture=Architecture.TINY_GN,
        classes=list(plan.classes),
        high_risk_classes=list(plan.high_risk_classes),
        image_size=image_size,
        seed=seed,
        initial_checkpoint=initial,
        test_set=TestSet(claim_name=layout.TEST_SET_CLAIM, manifest_sha256=plan.test_set_digest),
        gate=gate,
    )
    own = [claim(layout.NETWORK_NAMESPACE, initial.claim_name)] if initial else []
    return [*own, _fedround("FederatedModel", layout.MODEL, spec.dump())]


def home_objects(clinic: str, local_rules: list[Object]) -> list[Object]:
    """A clinic's own namespace, without what is secret."""
    home = layout.local_namespace(clinic)
    return [
        namespace(home, _RESTRICTED),
        *_bound_role(home, AGENT, local_rules, {"apiGroup": _RBAC, "kind": "User", "name": agent_user(clinic)}),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": layout.ACCOUNT, "namespace": home}},
        claim(home, layout.WORKSPACE_CLAIM),
        claim(home, layout.IMAGES_CLAIM),
    ]


def certificate_secret(clinic: str, files: Mapping[str, str]) -> Object:
    """The clinic's certificate, for its Jobs."""
    return secret(layout.local_namespace(clinic), layout.CERTIFICATE_SECRET, files)


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Object:
    """A namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {**_PART_OF, **(labels or {})}},
    }


def secret(namespace_: str, name: str, files: Mapping[str, str]) -> Object:
    """An Opaque Secret of text files."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace_},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in files.items()},
    }


def claim(namespace_: str, name: str) -> Object:
    """A volume claim; the process node mounts a folder for it."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace_},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }


def _fedround(kind: str, name: str, spec: Object) -> Object:
    meta = {"name": name, "namespace": layout.NETWORK_NAMESPACE}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": meta, "spec": spec}


def _named(kind: str, name: str, **content: Any) -> Object:
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": {"name": name}, **content}


def _bound_role(namespace_: str, name: str, rules: list[Object], subject: Object) -> list[Object]:
    meta = {"name": name, "namespace": namespace_}
    return [
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": meta, "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
            "subjects": [subject],
        },
    ]
