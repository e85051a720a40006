"""The list of certificates that the gateway refuses, in a ConfigMap beside the gateway.

A program there follows the ConfigMap and has the gateway take a new list within a second. A list only ever grows: a
certificate that was revoked once stays so. Nobody but the hub's chart makes it: a list in another namespace would look
well, and no gateway would read it.
"""

from collections.abc import Iterable
from typing import Protocol

from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.kit.conflicts import retried
from fedround_operator.kit.errors import NotFound
from fedround_operator.kit.resources import CONFIG_MAPS, Object, Resource
from fedround_operator.kit.revokedlist import CONFIG_MAP, KEY, revoked_in, revoked_text


class ListApi(Protocol):
    """What keeping the list needs of the hub's API server."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object: ...


class ConfigMapRevocations:
    """The list of a hub in a cluster."""

    def __init__(self, api: ListApi, namespace: str) -> None:
        self._api, self._namespace = api, namespace

    def current(self) -> frozenset[str]:
        """The certificates that the gateway refuses.

        Raises:
            NotFound: there is no list.
        """
        found = self._api.get(CONFIG_MAPS, self._namespace, CONFIG_MAP)
        return revoked_in((found.get("data") or {}).get(KEY, ""))

    def add(self, fingerprints: Iterable[str]) -> None:
        """Have the gateway refuse these too.

        Raises:
            Conflict: somebody else goes on changing the list.
            EnrolmentError: there is no list in this namespace.
        """
        wanted = set(fingerprints)
        retried(lambda: self._add(wanted))

    def _add(self, wanted: set[str]) -> None:
        try:
            found = self._api.get(CONFIG_MAPS, self._namespace, CONFIG_MAP)
        except NotFound as error:
            raise EnrolmentError(
                f"namespace {self._namespace} has no ConfigMap {CONFIG_MAP}, so no gateway is there that would refuse "
                "anybody: name the namespace of the hub's release by --gateway-namespace; if the list was deleted, "
                "`helm upgrade` makes it again"
            ) from error
        text = revoked_text(wanted | revoked_in((found.get("data") or {}).get(KEY, "")))
        version = found["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "data": {KEY: text}}
        self._api.patch(CONFIG_MAPS, self._namespace, CONFIG_MAP, body)
