"""The hub that a command asks: its API server, and its object store. Called by the commands that read or restore one.

It works with the rights of the caller's kubeconfig. Where the store is, and the name of the Secret that opens it, stand
in a ConfigMap of the network's namespace; the credentials are kept in a temporary folder while objects are fetched or
put.
"""

import argparse
import base64
import binascii
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import ValidationError

from fedround_api.jobs import StoreAddress
from fedround_api.kinds import FederatedModel, FederatedRound, Kind
from fedround_api.names import STORE_CONFIG_MAP
from fedround_cli.connection import HubError, connect_cluster
from fedround_cli.hubstore import HubStore
from fedround_operator.kit.errors import ApiError, ApiUnreachable, Forbidden, NotFound, ObjectUnreadable
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import CONFIG_MAPS, MODELS, ROUNDS, SECRETS, Object, Resource
from fedround_training.store.minio_store import open_store
from fedround_training.store.objects import ObjectStore

_FORWARD = (
    "look whether it runs; from outside the hub's cluster, forward its port (`kubectl port-forward{} 8333:{}`) and "
    "give --store 127.0.0.1:8333"
)
_SERVICE = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?:([0-9]+)")
_CREDENTIALS = ("access-key", "secret-key", "ca.crt")

T = TypeVar("T")
K = TypeVar("K", bound=Kind)


class Api(Protocol):
    """What is asked of an API server."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object."""
        ...

    def list(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """All objects of a namespace."""
        ...


@dataclass(frozen=True)
class RoundSeen:
    """A round, and when it was made."""

    round: FederatedRound
    created_at: str


@dataclass(frozen=True)
class RoundList:
    """The rounds of a network, the newest last; `unreadable` says of the others by name why they are not among them."""

    rounds: tuple[RoundSeen, ...]
    unreadable: Mapping[str, str]


@dataclass(frozen=True)
class StorePlace:
    """Where the hub has its objects, and the Secret that opens the store."""

    address: StoreAddress
    secret: str


@dataclass(frozen=True)
class Hub:
    """One network on a hub. `endpoint` is where the caller reaches the store, if not where the hub does; `advice` and
    `store_advice` say what to do where the API server or the store gives no answer."""

    api: Api
    namespace: str
    advice: str
    endpoint: str | None = None
    open_store: Callable[[StoreAddress, Path], ObjectStore] = open_store
    store_advice: str | None = None

    def rounds(self) -> RoundList:
        """All rounds; one that cannot be read hides none of the others."""
        seen, unreadable = [], {}
        for one in sorted(self.listed(ROUNDS), key=_by_age):
            try:
                seen.append(RoundSeen(_read(FederatedRound, one), _created_at(one)))
            except HubError as error:
                unreadable[one["metadata"]["name"]] = str(error)
        return RoundList(tuple(seen), unreadable)

    def round(self, name: str) -> FederatedRound:
        """One round. Raises HubError that names those that there are."""
        return _read(FederatedRound, self._named(ROUNDS, "round", name))

    def model(self, name: str) -> FederatedModel:
        """One model. Raises HubError that names those that there are."""
        return _read(FederatedModel, self._named(MODELS, "model", name))

    def fetch(self, key: str, sha256: str, limit_bytes: int) -> bytes:
        """An object of the store. Raises HubError, also where its bytes are not those with that digest."""
        with self.store() as store, tempfile.TemporaryDirectory(prefix="fedround-object-") as folder:
            path = Path(folder, "object")
            store.get(key, path, sha256, limit_bytes)
            return path.read_bytes()

    @contextmanager
    def store(self) -> Iterator[HubStore]:
        """The hub's bucket, for as long as the block lasts."""
        place = self._store_place()
        secret, address = self._store_secret(place.secret), place.address
        advice = self.store_advice or _forwarding(address.endpoint)
        if self.endpoint:
            address = address.model_copy(update={"endpoint": self.endpoint})
        with tempfile.TemporaryDirectory(prefix="fedround-store-") as folder:
            for name in _CREDENTIALS:
                if name in secret:
                    Path(folder, name).write_bytes(secret[name])
            yield HubStore(self.open_store(address, Path(folder)), address.endpoint, advice)

    def _named(self, resource: Resource, what: str, name: str) -> Object:
        found = {one["metadata"]["name"]: one for one in self.listed(resource)}
        if name not in found:
            there = f"there are {', '.join(sorted(found))}" if found else "there is none at all"
            raise HubError(f"there is no {what} {name} in namespace {self.namespace}: {there}")
        return found[name]

    def _store_place(self) -> StorePlace:
        where = f"the ConfigMap {STORE_CONFIG_MAP} of namespace {self.namespace}"
        try:
            said = dict(self._asked(lambda: self.api.get(CONFIG_MAPS, self.namespace, STORE_CONFIG_MAP))["data"])
            secret: str = said.pop("secret")
            return StorePlace(StoreAddress.model_validate(said), secret)
        except NotFound as error:
            raise HubError(
                f"namespace {self.namespace} has no ConfigMap {STORE_CONFIG_MAP}, which says where the object store "
                "is: look whether -n names the network's namespace, and whether the hub's chart is of this version"
            ) from error
        except (KeyError, ValidationError) as error:
            raise HubError(f"{where} does not say where the object store is: `helm upgrade` writes it anew") from error

    def _store_secret(self, name: str) -> dict[str, bytes]:
        where = f"the Secret {name} of namespace {self.namespace}"
        try:
            data = self._asked(lambda: self.api.get(SECRETS, self.namespace, name)).get("data", {})
            secret = {key: base64.b64decode(value, validate=True) for key, value in data.items()}
        except NotFound as error:
            raise HubError(
                f"namespace {self.namespace} has no Secret {name} with the object store's keys: make it, as the hub's "
                "Jobs need it too"
            ) from error
        except binascii.Error as error:
            raise HubError(f"{where} cannot be read") from error
        missing = [key for key in _CREDENTIALS[:2] if key not in secret]
        if missing:
            raise HubError(f"{where} lacks {' and '.join(missing)}")
        return secret

    def listed(self, resource: Resource) -> list[Object]:
        """All objects of the network as the API server has them."""
        try:
            return self._asked(lambda: self.api.list(resource, self.namespace))
        except NotFound as error:
            raise HubError(
                "this cluster has no rounds, as it is no hub: look which one the kubeconfig and its context lead to"
            ) from error

    def _asked(self, ask: Callable[[], T]) -> T:
        """An answer of the API server, or a sentence; that there is no such thing is for the caller."""
        try:
            return ask()
        except NotFound:
            raise
        except ApiUnreachable as error:
            raise HubError(f"the hub's API server does not answer: {self.advice}") from error
        except Forbidden as error:
            raise HubError(f"the hub's API server refuses: {error}; ask its administrator for the right") from error
        except ApiError as error:
            raise HubError(f"the hub's API server refuses: {error}") from error


def connect_hub(options: argparse.Namespace) -> Hub:
    """The hub of the command line. Raises HubError, or StateUnusable for a folder without a federation."""
    endpoint: str | None = getattr(options, "store", None)
    found = connect_cluster(options)
    store_advice = None if options.state is None else found.advice
    return Hub(found.api, options.namespace, found.advice, endpoint, store_advice=store_advice)


def _forwarding(endpoint: str) -> str:
    """What to do where the store is silent: the command for a Service of the hub's cluster, else its form."""
    service = _SERVICE.fullmatch(endpoint)
    if service is None:
        return _FORWARD.format(" service/NAME", "PORT")
    name, namespace, port = service.groups()
    return _FORWARD.format(f" -n {namespace} service/{name}", port)


def _created_at(found: Object) -> str:
    at: str = found["metadata"].get("creationTimestamp", "")
    return at


def _by_age(found: Object) -> tuple[str, str]:
    """By when they started: those that were restored from a backup were all made in the same moment."""
    return found.get("status", {}).get("startedAt") or _created_at(found), found["metadata"]["name"]


def _read(kind: type[K], found: Object) -> K:
    try:
        return read_kind(kind, found)
    except ObjectUnreadable as error:
        raise HubError(f"the hub is of another version than this program ({error}): install the hub's") from error
