"""The one door to kopf: it logs in, lists, watches and reconnects; every event becomes keys in the queue.

kopf's handlers for create, update and delete, its progress annotations, finalizers, timers and patches are not used:
the state of the world is read anew in every reconcile, so that nothing is lost with the process.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import kopf

from fedround_operator.kit.api import Credentials
from fedround_operator.kit.controller import EventKeys, Key, Scope
from fedround_operator.kit.health import Watches
from fedround_operator.kit.resources import Resource


class _EndlessBackoffs(Iterable[float]):
    """Pauses between attempts, in seconds, begun anew for each request: a hub may be away for days.

    kopf's own list ends after a minute, and the process with it.
    """

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((1, 1, 2, 3, 5, 8, 13), itertools.repeat(20))


def _settings(label_selectors: Mapping[Resource, str], finalizer: str) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = _EndlessBackoffs()
    # Also a watch without events shows once a minute that the API server answers; it costs a request a minute.
    settings.watching.server_timeout = 60
    # A connection that a firewall has dropped without a word is given up after this, and the watch begun anew.
    settings.watching.inactivity_timeout = 70
    settings.watching.client_timeout = 90
    settings.queueing.idle_timeout = 0.5
    settings.persistence.finalizer = finalizer
    for resource, labels in label_selectors.items():
        settings.watching.label_selectors[resource.group, resource.plural] = labels
    return settings


def connection_info(credentials: Credentials, now: datetime) -> kopf.ConnectionInfo:
    """What kopf connects with; after the expiration it logs in again, and until then a watch that is open goes on."""
    lasts = credentials.valid_seconds
    return kopf.ConnectionInfo(
        server=credentials.server,
        ca_path=credentials.ca_file,
        certificate_path=credentials.certificate_file,
        private_key_path=credentials.key_file,
        token=credentials.token,
        expiration=None if lasts is None else now + timedelta(seconds=lasts),
    )


def session(info: kopf.ConnectionInfo, watches: Watches) -> kopf.AiohttpSession:
    """The same connection as a session that tells of every request and answer."""
    connector = aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context())
    made = aiohttp.ClientSession(connector=connector, headers=info.as_http_headers(), trace_configs=[_told_to(watches)])
    return kopf.AiohttpSession(server=info.server, expiration=info.expiration, aiohttp_session=made)


def _told_to(watches: Watches) -> aiohttp.TraceConfig:
    """A kind is asked for, in a listing or a watch, under a path that ends with its plural."""
    config = aiohttp.TraceConfig()

    async def tried(_: aiohttp.ClientSession, __: Any, request: aiohttp.TraceRequestStartParams) -> None:
        watches.tried(request.url.name)

    async def answered(_: aiohttp.ClientSession, __: Any, request: aiohttp.TraceRequestEndParams) -> None:
        if request.response.status == 200:
            watches.answered(request.url.name)

    config.on_request_start.append(tried)
    config.on_request_end.append(answered)
    return config


def _registry(
    watched: Mapping[Resource, EventKeys],
    login: Callable[[], Credentials],
    add: Callable[[Key], None],
    watches: Watches,
) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def enter(**_: Any) -> kopf.AiohttpSession:
        return session(connection_info(await asyncio.to_thread(login), datetime.now(UTC)), watches)

    for resource, keys_of in watched.items():

        @kopf.on.event(resource.group, resource.version, resource.plural, id=resource.plural, registry=registry)
        async def seen(event: Any, keys_of: EventKeys = keys_of, plural: str = resource.plural, **_: Any) -> None:
            watches.answered(plural)
            for key in keys_of(dict(event["object"]), event["type"] == "DELETED"):
                add(key)

    return registry


def run(
    scopes: Iterable[Scope],
    login: Callable[[], Credentials],
    add: Callable[[Key], None],
    watches: Watches,
    *,
    finalizer: str,
    label_selectors: Mapping[Resource, str],
) -> None:
    """Watch all scopes until SIGTERM or SIGINT: kopf takes over both signals."""

    async def watch() -> None:
        # An operator of kopf watches all its kinds in the same namespaces, so there is one for each scope. When a root
        # task of any ends, by the signal or a failure, all are ended.
        own, roots = asyncio.all_tasks(), list[asyncio.Task[Any]]()
        for scope in scopes:
            roots += await kopf.spawn_tasks(
                registry=_registry(scope.watched, login, add, watches),
                settings=_settings(label_selectors, finalizer),
                standalone=True,
                clusterwide=scope.namespace is None,
                namespaces=[scope.namespace] if scope.namespace else [],
            )
        await kopf.run_tasks(roots, ignored=own)

    asyncio.run(watch())
