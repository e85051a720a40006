"""The hub that a command asks: its API server, and its object store. Called by the commands that read or restore one.

It works with the rights of the caller's kubeconfig. The store's credentials come from the Secret that its Jobs have;
they are kept in a temporary folder while objects are fetched or put.
"""

import argparse
import base64
import binascii
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from fedround_api.jobs import StoreAddress
from fedround_api.kinds import FederatedModel, FederatedRound, Kind
from fedround_cli.connection import HubError, connect_cluster
from fedround_cli.hubstore import HubStore
from fedround_local.federation.federation import Federation
from fedround_local.federation.layout import STORE_SECRET
from fedround_local.objectstore import BUCKET, REGION
from fedround_operator.kit.errors import ApiError, ApiUnreachable, Forbidden, NotFound, ObjectUnreadable
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import MODELS, ROUNDS, SECRETS, Object, Resource
from fedround_training.store.minio_store import open_store
from fedround_training.store.objects import ObjectStore

_FORWARD = (
    "look whether it runs; from outside the hub's cluster, forward its port (`kubectl port-forward service/NAME "
    "8333:8333`) and give --store 127.0.0.1:8333"
)
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
class Hub:
    """One network on a hub. `endpoint` is what the caller said of the store; `advice` and `store_advice` say what to do
    where the API server or the store gives no answer."""

    api: Api
    namespace: str
    advice: str
    endpoint: str | None = None
    open_store: Callable[[StoreAddress, Path], ObjectStore] = open_store
    store_advice: str = _FORWARD

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
        secret = self._store_secret()
        endpoint = self.endpoint or secret.get("endpoint", b"").decode()
        if not endpoint:
            raise HubError("the hub does not say where its object store is: give --store HOST:PORT")
        address = StoreAddress(
            endpoint=endpoint,
            bucket=secret.get("bucket", BUCKET.encode()).decode(),
            region=secret.get("region", REGION.encode()).decode(),
        )
        with tempfile.TemporaryDirectory(prefix="fedround-store-") as folder:
            for name in _CREDENTIALS:
                if name in secret:
                    Path(folder, name).write_bytes(secret[name])
            yield HubStore(self.open_store(address, Path(folder)), endpoint, self.store_advice)

    def _named(self, resource: Resource, what: str, name: str) -> Object:
        found = {one["metadata"]["name"]: one for one in self.listed(resource)}
        if name not in found:
            there = f"there are {', '.join(sorted(found))}" if found else "there is none at all"
            raise HubError(f"there is no {what} {name} in namespace {self.namespace}: {there}")
        return found[name]

    def _store_secret(self) -> dict[str, bytes]:
        try:
            data = self._asked(lambda: self.api.get(SECRETS, self.namespace, STORE_SECRET)).get("data", {})
            secret = {name: base64.b64decode(value, validate=True) for name, value in data.items()}
        except NotFound as error:
            raise HubError(
                f"namespace {self.namespace} has no Secret {STORE_SECRET} with the object store's keys: look whether "
                "-n names the network's namespace"
            ) from error
        except binascii.Error as error:
            raise HubError(f"the Secret {STORE_SECRET} of namespace {self.namespace} cannot be read") from error
        missing = [name for name in _CREDENTIALS[:2] if name not in secret]
        if missing:
            raise HubError(f"the Secret {STORE_SECRET} of namespace {self.namespace} lacks {' and '.join(missing)}")
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
    found, store_advice = connect_cluster(options), _FORWARD
    if options.state is not None:
        endpoint, store_advice = endpoint or Federation(options.state, print).store.address, found.advice
    return Hub(found.api, options.namespace, found.advice, endpoint, store_advice=store_advice)


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
