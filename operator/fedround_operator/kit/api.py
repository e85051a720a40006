"""The one door to the `kubernetes` package: objects of an API server as plain dictionaries.

Callers get and give JSON data; the generated model classes stay behind this door, since they cost memory and hide
unknown fields. Every call is bounded in time. Failures are the errors of ``kit.errors``.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config

from fedround_operator.kit.answers import read_items, read_names, read_object, refusal
from fedround_operator.kit.errors import AlreadyExists, ApiUnreachable, Conflict, NotFound
from fedround_operator.kit.resources import Object, Resource, query, selector

# Connect and read limits: an API server that is alive answers a bounded list in a second or two. Much shorter would
# fail under load, much longer would hold a worker while a deadline passes.
TIMEOUT_SECONDS = (5.0, 20.0)
PAGE_SIZE = 500
# Far more than any list of this system has: a server in a stranger's hands could go on for ever.
MOST_PAGES = 100
# How long a watch may go on with a certificate that has been renewed; each time costs it one listing.
RENEWED_SECONDS = 300.0


@dataclass(frozen=True)
class Credentials:
    """How to reach and enter an API server; files are paths. They are to be asked for again after `valid_seconds`."""

    server: str
    ca_file: str | None
    certificate_file: str | None
    key_file: str | None
    token: str | None
    valid_seconds: float | None = None


class KubeApi:
    """Objects of one API server."""

    def __init__(
        self,
        configuration: Any,
        timeout_seconds: tuple[float, float] = TIMEOUT_SECONDS,
        renewed: Callable[[], Credentials | None] | None = None,
    ) -> None:
        """`renewed` gives the credentials that hold from now on, whenever they have changed."""
        self._timeout_seconds, self._renewed = timeout_seconds, renewed
        self._session = _Session(configuration)

    @property
    def credentials(self) -> Credentials:
        """What another client of the same server needs; read anew, since tokens are renewed."""
        session = self._current()
        configuration, entry = session.configuration, session.authorization().get("authorization", "")
        # A pod's token, and one that a plugin of a kubeconfig gives, are others after a while.
        changes = self._renewed is not None or configuration.refresh_api_key_hook is not None
        return Credentials(
            server=configuration.host,
            ca_file=configuration.ssl_ca_cert,
            certificate_file=configuration.cert_file,
            key_file=configuration.key_file,
            # The scheme before it is written in any case (RFC 9110, section 11.1), and in a pod it is `bearer`.
            token=entry.partition(" ")[2] or None,
            valid_seconds=RENEWED_SECONDS if changes else None,
        )

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object.

        Raises:
            NotFound: there is none of that name.
        """
        return self._call("GET", resource.path(namespace, name))

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None, fields: str = ""
    ) -> list[Object]:
        """All objects that match, of one namespace or of all.

        Raises:
            ApiUnreachable: the list does not come to an end.
        """
        items: list[Object] = []
        token: str | None = None
        for _ in range(MOST_PAGES):
            page = self._call(
                "GET",
                resource.path(namespace)
                + query(
                    limit=PAGE_SIZE,
                    labelSelector=selector(labels or {}),
                    fieldSelector=fields,
                    **{"continue": token},
                ),
            )
            items += read_items(page)
            token = page.get("metadata", {}).get("continue")
            if not token:
                return items
        raise ApiUnreachable(f"GET {resource.path(namespace)}: more than {MOST_PAGES} pages of {PAGE_SIZE} objects")

    def watch(self, resource: Resource, namespace: str, name: str, seconds: int) -> Iterator[Object | None]:
        """One object: as it is now, and again whenever it changes, for so many seconds; None when it was deleted.

        Nothing comes at first where there is none.
        """
        path = resource.path(namespace) + query(
            watch="true", fieldSelector=f"metadata.name={name}", timeoutSeconds=seconds
        )
        session = self._current()
        try:
            answer = session.rest.pool_manager.request(
                "GET",
                session.configuration.host + path,
                headers={"Accept": "application/json", **session.authorization()},
                # The server ends a watch in time; one that is dead without a word ends soon after.
                timeout=urllib3.Timeout(connect=self._timeout_seconds[0], read=seconds + self._timeout_seconds[1]),
                retries=False,
                preload_content=False,
            )
            if answer.status != 200:
                raise refusal(f"GET {path}", answer.status, answer.read())
            for event in _events(answer):
                if event["type"] == "ERROR":
                    raise ApiUnreachable(f"GET {path}: {event['object'].get('message', 'the watch failed')}")
                yield None if event["type"] == "DELETED" else event["object"]
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiUnreachable(f"GET {path}: no answer from {session.configuration.host}: {error}") from error

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        """The object as created.

        Raises:
            AlreadyExists: an object of that name is there.
        """
        try:
            return self._call("POST", resource.path(namespace), body)
        except Conflict as error:
            raise AlreadyExists(str(error)) from error

    def patch(
        self, resource: Resource, namespace: str, name: str, body: Object, subresource: str | None = None
    ) -> Object:
        """The object after a merge patch (RFC 7386); with a resourceVersion in it only if nobody wrote in between.

        Raises:
            Conflict: the resourceVersion is not the current one.
        """
        path = resource.path(namespace, name, subresource)
        return self._call("PATCH", path, body, "application/merge-patch+json")

    def delete(self, resource: Resource, namespace: str, name: str) -> None:
        """Remove the object with its dependents, in the background; one that is gone already is fine."""
        try:
            self._call("DELETE", resource.path(namespace, name), {"propagationPolicy": "Background"})
        except NotFound:
            return

    def serves(self, resource: Resource) -> bool:
        """Whether discovery names the resource, in the list of groups and in that of its group's resources."""
        if resource.group and resource.group not in read_names(self._call("GET", "/apis").get("groups")):
            return False
        try:
            return resource.plural in read_names(self._call("GET", resource.root).get("resources"))
        except NotFound:
            return False

    def _call(self, method: str, path: str, body: Object | None = None, kind: str = "application/json") -> Object:
        session = self._current()
        headers = {"Accept": "application/json", "Content-Type": kind, **session.authorization()}
        try:
            answer = session.rest.request(
                method,
                session.configuration.host + path,
                headers=headers,
                body=body,
                _request_timeout=self._timeout_seconds,
            )
            content = answer.data if answer.data is not None else answer.read()
        except client.ApiException as error:  # how older versions of the package tell of a status that is no success
            raise refusal(f"{method} {path}", error.status, error.body) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiUnreachable(f"{method} {path}: no answer from {session.configuration.host}: {error}") from error
        if not 200 <= answer.status <= 299:
            raise refusal(f"{method} {path}", answer.status, content)
        return read_object(f"{method} {path}", content)

    def _current(self) -> "_Session":
        """The session to use now; with a new one after a renewal, requests under way end on the old one."""
        credentials = self._renewed() if self._renewed else None
        if credentials is not None:
            self._session = _Session(_configured(credentials))
        return self._session


class _Session:
    """A configuration and the connections that were made with it."""

    def __init__(self, configuration: Any) -> None:
        self.configuration = configuration
        self.rest = client.ApiClient(configuration).rest_client

    def authorization(self) -> dict[str, str]:
        setting = self.configuration.auth_settings().get("BearerToken")
        return {"authorization": setting["value"]} if setting and setting["value"] else {}


def _events(answer: Any) -> Iterator[Object]:
    """The events of a watch, one a line, as they come."""
    rest = b""
    try:
        for chunk in answer.stream():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from map(json.loads, lines)
    finally:
        answer.close()


# What the package makes of a file that is something else: it looks into it without a check.
_NO_KUBECONFIG = (yaml.YAMLError, AttributeError, TypeError, ValueError)


def connect(
    kubeconfig: Path | None, timeout_seconds: tuple[float, float] = TIMEOUT_SECONDS, context: str | None = None
) -> KubeApi:
    """The API server of a kubeconfig file, in its current context or another one, or of the cluster that this process
    runs in.

    Raises:
        ApiUnreachable: the file is missing, is no kubeconfig, or does not say how to connect.
    """
    configuration = client.Configuration()
    configuration.retries = False
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(str(kubeconfig), context, client_configuration=configuration)
    except config.ConfigException as error:
        raise ApiUnreachable(f"{kubeconfig or 'in-cluster configuration'}: {error}") from error
    except _NO_KUBECONFIG as error:
        raise ApiUnreachable(f"{kubeconfig}: it is no kubeconfig") from error
    return KubeApi(configuration, timeout_seconds)


def connect_with(
    credentials: Credentials,
    renewed: Callable[[], Credentials | None] | None = None,
    timeout_seconds: tuple[float, float] = TIMEOUT_SECONDS,
) -> KubeApi:
    """The API server of these credentials; before each request `renewed` is asked whether they have changed."""
    return KubeApi(_configured(credentials), timeout_seconds, renewed)


def _configured(credentials: Credentials) -> Any:
    configuration = client.Configuration(host=credentials.server)
    configuration.retries = False
    configuration.ssl_ca_cert = credentials.ca_file
    configuration.cert_file, configuration.key_file = credentials.certificate_file, credentials.key_file
    if credentials.token:
        configuration.api_key = {"authorization": f"Bearer {credentials.token}"}
    return configuration
