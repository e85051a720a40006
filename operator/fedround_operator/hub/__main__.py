"""Starts the hub's operator: `python -m fedround_operator.hub`.

Every option can also be given as an environment variable, as the Helm chart does.
"""

import argparse
import logging
import os
import socket
import sys
import threading
from functools import partial
from pathlib import Path

from fedround_operator.hub.gatewayshown import shown_certificate_end
from fedround_operator.hub.reconcilers import SWEEP_KEY, Hub
from fedround_operator.hub.settings import OPERATOR_LEASE, HubSettings, store_address
from fedround_operator.hub.signing import UrlSigner, read_keys
from fedround_operator.hub.watching import LABEL_SELECTORS, WATCHED, scopes
from fedround_operator.kit import informer, leader, metrics
from fedround_operator.kit.api import connect
from fedround_operator.kit.controller import Controller
from fedround_operator.kit.discovery import await_served
from fedround_operator.kit.gatewaywatch import watch_gateway
from fedround_operator.kit.health import Health, Turns, Watches
from fedround_operator.kit.jobmanifests import NOBODY, RunAs
from fedround_operator.kit.options import Options
from fedround_operator.kit.process import set_up, utc_now
from fedround_operator.kit.serving import serve

FINALIZER = "fedround.dev/hub"

log = logging.getLogger("fedround_operator.hub")


def _options(arguments: list[str]) -> argparse.Namespace:
    options = Options("fedround-hub", "The operator of a fedround hub.")
    options.add("kubeconfig", "kubeconfig file; empty: the cluster that this runs in", "")
    options.add("namespace", "namespace of the operator's Lease")
    options.add("network", "namespace of the network: its rounds, models and clinics, and the hub's Jobs")
    options.add("image", "image of the hub's Jobs")
    options.add("store-endpoint", "host:port of the object store, as the hub's Jobs reach it")
    options.add("store-bucket", "bucket", "fedround")
    options.add("store-region", "region that requests are signed for", "us-east-1")
    options.add("store-https", "whether the object store speaks TLS: true or false", "false")
    options.add("store-secret", "Secret with access-key, secret-key and ca.crt, for the hub's Jobs", "fedround-store")
    options.add("store-keys", "folder with access-key and secret-key, for signing URLs")
    options.add("gateway", "host:port of the gateway, as the clinics reach it")
    options.add("gateway-service", "host:port of the gateway inside the cluster; empty: as clinics reach it", "")
    options.add("store-host", "Host that URLs are signed for, where the store insists on its own; empty: gateway", "")
    options.add("url-lifetime-seconds", "how long presigned URLs hold", "3600")
    options.add("identity", "who holds the Lease", f"{socket.gethostname()}-{os.getpid()}")
    options.add("run-as", "USER:GROUP:FSGROUP that Jobs run as; what is empty the cluster chooses", NOBODY.text)
    options.add("metrics-port", "port of metrics and probes; 0: none", "0")
    options.add("metrics-address", "address of metrics and probes", "0.0.0.0")  # noqa: S104 - scraped from other pods
    options.add("workers", "reconciles at a time", "4")
    return options.parse(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal comes; the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    stop = threading.Event()
    set_up(stop)
    lifetime = int(options.url_lifetime_seconds)
    settings = HubSettings(
        network=options.network,
        image=options.image,
        store=store_address(options),
        store_secret=options.store_secret,
        run_as=RunAs.read(options.run_as),
    )
    keys = read_keys(Path(options.store_keys))
    signer = UrlSigner(
        options.gateway, options.store_bucket, options.store_region, keys, lifetime, store_host=options.store_host
    )
    kubeconfig = Path(options.kubeconfig) if options.kubeconfig else None
    api = connect(kubeconfig)
    lease_api = connect(kubeconfig, leader.TIMEOUT_SECONDS)
    leadership = leader.Leadership(lease_api, options.namespace, OPERATOR_LEASE, options.identity, utc_now)
    turns, watches = Turns(), Watches(WATCHED)
    if int(options.metrics_port):
        health = Health((turns.stopped, watches.stopped), (leadership.renewals.missing, watches.missing))
        serve(int(options.metrics_port), options.metrics_address, health, metrics.OPERATOR)
    if not leadership.acquire(stop):
        return 0
    ended = threading.Event()
    threading.Thread(target=leadership.keep, args=(ended,), name="lease", daemon=True).start()
    shown = partial(shown_certificate_end, options.gateway_service or options.gateway, options.gateway)
    tell = metrics.GATEWAY_SHOWN_END.set
    threading.Thread(target=watch_gateway, args=(shown, tell, stop), name="gateway", daemon=True).start()
    controller = Controller(Hub(api, signer, settings, utc_now).reconcilers(), turns, workers=int(options.workers))
    controller.queue.add(SWEEP_KEY)
    controller.start()
    log.info("started")
    if await_served(api, WATCHED, stop):
        informer.run(
            scopes(settings.network),
            login=lambda: api.credentials,
            add=controller.queue.add,
            watches=watches,
            finalizer=FINALIZER,
            label_selectors=LABEL_SELECTORS,
        )
    stop.set()
    # The Lease is held for as long as a worker may write; one that does not end takes it along.
    if controller.stop():
        ended.set()
        leadership.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
