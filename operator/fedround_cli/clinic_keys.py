"""The Secret in the clinic's own cluster that holds its key. Called by `fedround clinic request` and `rotate`."""

import argparse
import base64
import binascii
from typing import Protocol

from fedround_api import names
from fedround_cli.connection import HubError
from fedround_cli.enrolling import ClinicError
from fedround_operator.agent.identity import CERTIFICATE, KEY, NEXT_KEY, Identity, read_identity
from fedround_operator.kit import pki
from fedround_operator.kit.errors import NotFound
from fedround_operator.kit.resources import NAMESPACES, SECRETS, Object, Resource


class ClusterApi(Protocol):
    """What is asked of the clinic's API server."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...

    def patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object: ...


def ensure_key(api: ClusterApi, options: argparse.Namespace) -> bytes:
    """The clinic's private key in its Secret; made there at the first call, or anew with `--new-key`.

    Raises:
        ClinicError: the Secret is another clinic's.
        HubError: there is no such namespace.
    """
    found = find_secret(api, options)
    identity = identity_in(found, options.name) if found is not None else None
    if identity is not None and not options.new_key:
        return identity.key
    key = pki.new_key()
    labels = {names.PART_OF: names.PART_OF_VALUE, names.CLINIC_LABEL: options.name}
    if found is None:
        _create(api, options, labels, key)
    else:
        # Nothing of the former key stays: its certificate would not fit.
        data = {KEY: _encoded(key), CERTIFICATE: None, NEXT_KEY: None}
        meta = {"resourceVersion": found["metadata"]["resourceVersion"], "labels": labels}
        api.patch(SECRETS, options.namespace, options.secret, {"metadata": meta, "data": data})
    return key


def ensure_next_key(api: ClusterApi, options: argparse.Namespace) -> bool:
    """Whether a next key was made now; False: one is waiting already.

    Raises:
        ClinicError: the clinic has no certificate yet, or it is another clinic.
    """
    found = find_secret(api, options)
    identity = identity_in(found, options.name) if found is not None else None
    if found is None or identity is None or identity.certificate is None:
        raise ClinicError(
            f"clinic {options.name} has no certificate in Secret {options.secret} of namespace {options.namespace}: "
            f"ask for its first one by `fedround clinic request {options.name}`"
        )
    if identity.next_key is not None:
        return False
    meta = {"resourceVersion": found["metadata"]["resourceVersion"]}
    body = {"metadata": meta, "data": {NEXT_KEY: _encoded(pki.new_key())}}
    api.patch(SECRETS, options.namespace, options.secret, body)
    return True


def find_secret(api: ClusterApi, options: argparse.Namespace) -> Object | None:
    """The Secret, or nothing."""
    try:
        return api.get(SECRETS, options.namespace, options.secret)
    except NotFound:
        return None


def identity_in(secret: Object, clinic: str) -> Identity | None:
    """What the Secret holds for this clinic.

    Raises:
        ClinicError: it cannot be read, or is another clinic's.
    """
    name = secret["metadata"]["name"]
    owner = (secret["metadata"].get("labels") or {}).get(names.CLINIC_LABEL, clinic)
    if owner != clinic:
        raise ClinicError(
            f"Secret {name} of this namespace holds the key of clinic {owner}: name that clinic, or another namespace"
        )
    try:
        data = {key: base64.b64decode(value, validate=True) for key, value in (secret.get("data") or {}).items()}
    except binascii.Error as error:
        raise ClinicError(f"Secret {name} of this namespace cannot be read: remove it") from error
    return read_identity(data)


def _create(api: ClusterApi, options: argparse.Namespace, labels: dict[str, str], key: bytes) -> None:
    meta = {"name": options.secret, "namespace": options.namespace, "labels": labels}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {KEY: _encoded(key)}}
    try:
        api.create(SECRETS, options.namespace, secret)
    except NotFound as error:
        if not options.create_namespace:
            raise HubError(
                f"there is no namespace {options.namespace} in this cluster: give --create-namespace, or name another "
                "one by -n"
            ) from error
        label = {"pod-security.kubernetes.io/enforce": "restricted"}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": options.namespace, "labels": label}}
        api.create(NAMESPACES, "", body)
        api.create(SECRETS, options.namespace, secret)


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
