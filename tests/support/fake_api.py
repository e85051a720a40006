"""An API server in memory, with the methods of ``fedround_operator.kit.api.KubeApi`` and the same law.

``contract.api_contract`` states the law and runs on this and on a real server. What a real server does by itself is
left out, but for two things: objects whose owner is deleted go too, and what the contract's models refuse is Invalid.
Every call is recorded in ``calls``; ``before`` and ``after`` are told of each and may raise, to play a lost request,
a lost answer or a crash.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from fedround_api.kinds import KINDS
from fedround_operator.kit.errors import AlreadyExists, Conflict, Invalid, NotFound
from fedround_operator.kit.instants import text_of
from fedround_operator.kit.resources import CONFIG_MAPS, EVENTS, LEASES, Object, Resource
from fedround_operator.kit.revokedlist import CONFIG_MAP

_WITHOUT_STATUS = (LEASES, EVENTS)
_SET_BY_SERVER = ("name", "namespace", "uid", "creationTimestamp", "generation")
_KINDS = {kind.presentation.plural: kind for kind in KINDS}


@dataclass(frozen=True)
class Call:
    """One request."""

    verb: str
    resource: Resource
    namespace: str | None
    name: str | None = None
    subresource: str | None = None


def copied(item: Object) -> Object:
    """A copy of an object. `copy.deepcopy` takes three times as long, and was most of what tests with this did."""
    return {key: _copied(part) for key, part in item.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return copied(value)
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return value


def _nothing(call: Call) -> None:
    """A hook that lets every call pass."""


class FakeApi:
    """Objects of one API server."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)) -> None:
        self.calls: list[Call] = []
        self.before: Callable[[Call], None] = _nothing
        self.after: Callable[[Call], None] = _nothing
        self._clock = clock
        self._objects: dict[tuple[Resource, str, str], Object] = {}
        self._version = 0
        self._made = 0
        self._lock = threading.RLock()

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object."""
        with self._lock:
            call = self._begin("get", resource, namespace, name)
            found = self._find(resource, namespace, name)
            return self._end(call, found)

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        """The object as created: with UID, version, generation and time, without the status it may carry."""
        with self._lock:
            name = body["metadata"]["name"]
            call = self._begin("create", resource, namespace, name)
            if (resource, namespace, name) in self._objects:
                raise AlreadyExists(f"{resource.plural} {name!r} already exists")
            made = copied(body)
            made["metadata"] |= self._new_metadata(namespace)
            if resource not in _WITHOUT_STATUS:
                made.pop("status", None)
            self._store(resource, made)
            return self._end(call, made)

    def patch(
        self, resource: Resource, namespace: str, name: str, body: Object, subresource: str | None = None
    ) -> Object:
        """The object after a merge patch (RFC 7386)."""
        with self._lock:
            call = self._begin("patch", resource, namespace, name, subresource)
            before = self._find(resource, namespace, name)
            expected = body.get("metadata", {}).get("resourceVersion")
            if expected not in (None, before["metadata"]["resourceVersion"]):
                raise Conflict(f"{resource.plural} {name!r}: the object has been modified")
            after = _patched(resource, before, body, subresource)
            if after != before:
                self._store(resource, after)
            return self._end(call, after)

    def delete(self, resource: Resource, namespace: str, name: str) -> None:
        """Remove the object and all that it owns; one that is gone already is fine."""
        with self._lock:
            call = self._begin("delete", resource, namespace, name)
            found = self._objects.get((resource, namespace, name))
            if found is not None:
                self._remove(resource, found)
            self.after(call)

    def peek(self, resource: Resource, namespace: str) -> list[Object]:
        """Test's view: all objects of a namespace ordered by name, past hooks and record."""
        with self._lock:
            names = sorted(name for kind, space, name in self._objects if (kind, space) == (resource, namespace))
            return [copied(self._objects[resource, namespace, name]) for name in names]

    def put(self, resource: Resource, namespace: str, body: Object) -> Object:
        """Test set-up: store the object with its status, past hooks and record; one of that name is replaced."""
        with self._lock:
            made = copied(body)
            made["metadata"] = self._new_metadata(namespace) | made["metadata"] | {"namespace": namespace}
            self._store(resource, made)
            return copied(made)

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None, fields: str = ""
    ) -> list[Object]:
        """All objects that match, ordered by namespace and name."""
        with self._lock:
            call = self._begin("list", resource, namespace)
            found = [
                copied(item)
                for (kind, space, _), item in sorted(self._objects.items(), key=lambda entry: entry[0][1:])
                if kind == resource and namespace in (None, space) and _matches(item, labels or {}, fields)
            ]
            self.after(call)
            return found

    def _begin(
        self, verb: str, resource: Resource, namespace: str | None, name: str | None = None, sub: str | None = None
    ) -> Call:
        call = Call(verb, resource, namespace, name, sub)
        self.calls.append(call)
        self.before(call)
        return call

    def _end(self, call: Call, found: Object) -> Object:
        self.after(call)
        return copied(found)

    def _find(self, resource: Resource, namespace: str, name: str) -> Object:
        try:
            return self._objects[resource, namespace, name]
        except KeyError:
            raise NotFound(f"{resource.plural} {name!r} not found") from None

    def _new_metadata(self, namespace: str) -> Object:
        # The first eight characters differ, as those of real UIDs do: names of Jobs are made from them.
        self._made += 1
        return {
            "namespace": namespace,
            "uid": f"{self._made:08x}-0000-4000-8000-000000000000",
            "creationTimestamp": text_of(self._clock()),
            "generation": 1,
        }

    def _store(self, resource: Resource, item: Object) -> None:
        _check(resource, item)
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._objects[resource, item["metadata"]["namespace"], item["metadata"]["name"]] = item

    def _remove(self, resource: Resource, item: Object) -> None:
        metadata = item["metadata"]
        del self._objects[resource, metadata["namespace"], metadata["name"]]
        for (kind, _, _), other in list(self._objects.items()):
            if any(owner["uid"] == metadata["uid"] for owner in other["metadata"].get("ownerReferences", [])):
                self._remove(kind, other)


def _patched(resource: Resource, before: Object, body: Object, subresource: str | None) -> Object:
    merged: Object = _merged(before, body)
    if subresource:
        return {**copied(before), subresource: merged.get(subresource, {})}
    for name in _SET_BY_SERVER:
        merged["metadata"][name] = before["metadata"][name]
    merged["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
    if resource not in _WITHOUT_STATUS:
        merged.pop("status", None)
        if "status" in before:
            merged["status"] = copied(before["status"])
    if merged.get("spec") != before.get("spec"):
        merged["metadata"]["generation"] += 1
    return merged


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return _copied(patch)
    result = copied(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _check(resource: Resource, item: Object) -> None:
    kind = _KINDS.get(resource.plural)
    if kind is None:
        return
    try:
        kind.model_validate(item)
    except ValidationError as error:
        raise Invalid(f"{kind.__name__} {item['metadata']['name']!r} is invalid: {error}") from error


def _matches(item: Object, labels: dict[str, str], fields: str) -> bool:
    carried = item["metadata"].get("labels", {})
    return all(carried.get(name) == value for name, value in labels.items()) and all(
        str(_field(item, path)) == value
        for path, _, value in (part.partition("=") for part in fields.split(",") if part)
    )


def _field(item: Any, path: str) -> Any:
    for name in path.split("."):
        item = item.get(name, {}) if isinstance(item, dict) else {}
    return item


def with_revoked_list(api: FakeApi, namespace: str) -> FakeApi:
    """The same, after the hub's chart has made its list of revoked certificates there."""
    meta = {"name": CONFIG_MAP, "namespace": namespace}
    api.create(CONFIG_MAPS, namespace, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    return api
