"""Starts a clinic's agent: `python -m fedround_operator.agent`.

Every option can also be given as an environment variable, as the Helm chart does.
"""

import argparse
import logging
import random
import sys
import threading
from functools import partial
from pathlib import Path

from fedround_api.policyfile import PolicyInvalid
from fedround_operator import __version__
from fedround_operator.agent.heartbeat import LEASE_SECONDS, Heartbeat
from fedround_operator.agent.identity_keeper import CURRENT, IdentityKeeper, IdentityPlaces
from fedround_operator.agent.policy import PolicyFile, load_policy
from fedround_operator.agent.reconcilers import SWEEP_KEY, Agent
from fedround_operator.agent.settings import ACCOUNT, AgentSettings
from fedround_operator.agent.watching import WATCHED
from fedround_operator.kit import informer, metrics
from fedround_operator.kit.api import KubeApi, connect
from fedround_operator.kit.controller import Controller, Scope
from fedround_operator.kit.discovery import await_served
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.gatewayfiles import connect_gateway, gateway_certificate_end
from fedround_operator.kit.gatewaywatch import watch_gateway
from fedround_operator.kit.health import Check, Health, Pulse, Turns, Watches
from fedround_operator.kit.jobmanifests import NOBODY, RunAs
from fedround_operator.kit.options import Options
from fedround_operator.kit.process import set_up, utc_now
from fedround_operator.kit.serving import serve

FINALIZER = "fedround.dev/agent"
# sysexits.h: something was found in an unconfigured or misconfigured state.
EXIT_MISCONFIGURED = 78

log = logging.getLogger("fedround_operator.agent")


def _options(arguments: list[str]) -> argparse.Namespace:
    options = Options("fedround-agent", "The agent of a clinic.")
    options.add("clinic", "name of the clinic")
    options.add("gateway", "host:port of the hub's gateway, which is entered by the clinic's own certificate", "")
    options.add("membership", "folder with ca.crt, tls.crt and token: the bundle of the administrator", "/membership")
    options.add("identity", "folder for key and certificate while this runs, in memory", "/identity")
    options.add("hub-kubeconfig", "in place of the gateway: a kubeconfig file for the hub, which nobody renews", "")
    options.add("kubeconfig", "kubeconfig file for the clinic's cluster; empty: the cluster that this runs in", "")
    options.add("namespace", "namespace of the clinic's Jobs in the clinic's cluster")
    options.add("policy", "the clinic's policy, a YAML file")
    options.add("image", "image of the clinic's Jobs")
    options.add("workspace-claim", "claim of the volume that Jobs work on", "workspace")
    options.add("images-claim", "claim of the volume with images and table", "images")
    options.add("certificate-secret", "Secret with the clinic's certificate, for its Jobs", "fedround-certificate")
    options.add("account", "ServiceAccount of the agent in that namespace; its Jobs go when it is removed", ACCOUNT)
    options.add("run-as", "USER:GROUP:FSGROUP that Jobs run as; what is empty the cluster chooses", NOBODY.text)
    options.add("metrics-port", "port of metrics and probes; 0: none", "0")
    options.add("metrics-address", "address of metrics and probes", "0.0.0.0")  # noqa: S104 - scraped from other pods
    return options.parse(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal comes; the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    stop = threading.Event()
    set_up(stop)
    try:
        load_policy(Path(options.policy))
        local = connect(Path(options.kubeconfig) if options.kubeconfig else None)
    except PolicyInvalid as error:
        print(f"fedround-agent: the policy {options.policy} cannot be used: {error}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    except ApiError as error:
        print(f"fedround-agent: {error}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    if not options.gateway and not options.hub_kubeconfig:
        print("fedround-agent: --gateway says where the hub is; it is missing", file=sys.stderr)
        return EXIT_MISCONFIGURED
    settings = AgentSettings(
        clinic=options.clinic,
        namespace=options.namespace,
        image=options.image,
        workspace_claim=options.workspace_claim,
        images_claim=options.images_claim,
        certificate_secret=options.certificate_secret,
        account=options.account,
        run_as=RunAs.read(options.run_as),
    )
    policy = PolicyFile(Path(options.policy))
    keeper = _keeper(options, local) if options.gateway else None
    turns, watches = Turns(), Watches(WATCHED)
    renewals = Pulse("the hub has not taken a sign of life", LEASE_SECONDS)
    if int(options.metrics_port):
        identity: tuple[Check, ...] = (keeper.unusable,) if keeper is not None else ()
        health = Health((turns.stopped, watches.stopped), (*identity, renewals.missing, watches.missing))
        serve(int(options.metrics_port), options.metrics_address, health, metrics.AGENT)
    if keeper is not None and not keeper.await_first(stop):
        return 0
    try:
        hub = _hub(options)
    except ApiError as error:
        print(f"fedround-agent: {error}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    if keeper is not None:
        threading.Thread(target=keeper.run, args=(stop,), name="identity", daemon=True).start()
        shown = partial(gateway_certificate_end, options.gateway, Path(options.identity) / CURRENT)
        tell = metrics.GATEWAY_CERTIFICATE_END.set
        threading.Thread(target=watch_gateway, args=(shown, tell, stop), name="gateway", daemon=True).start()
    generator = random.Random()  # noqa: S311 - spreads the heartbeats of many clinics; nothing is kept secret by it
    heartbeat = Heartbeat(
        hub,
        settings,
        version=__version__,
        policy=policy.current,
        clock=utc_now,
        renewals=renewals,
        generator=generator,
        identity=keeper,
    )
    threading.Thread(target=heartbeat.run, args=(stop,), name="heartbeat", daemon=True).start()
    controller = Controller(Agent(hub, local, policy.current, settings, utc_now).reconcilers(), turns, workers=1)
    controller.queue.add(SWEEP_KEY)
    controller.start()
    log.info("started clinic=%s version=%s", settings.clinic, __version__)
    if await_served(hub, WATCHED, stop):
        informer.run(
            [Scope(settings.hub_namespace, WATCHED)],
            login=lambda: hub.credentials,
            add=controller.queue.add,
            watches=watches,
            finalizer=FINALIZER,
            label_selectors={},
        )
    controller.stop()
    return 0


def _keeper(options: argparse.Namespace, local: KubeApi) -> IdentityKeeper:
    places = IdentityPlaces(
        clinic=options.clinic,
        namespace=options.namespace,
        secret=options.certificate_secret,
        membership=Path(options.membership),
        folder=Path(options.identity),
    )
    return IdentityKeeper(local, places, clock=utc_now)


def _hub(options: argparse.Namespace) -> KubeApi:
    """The hub's API server, as the options say.

    Raises:
        ApiUnreachable: a file for it is missing.
    """
    if options.gateway:
        return connect_gateway(options.gateway, Path(options.identity) / CURRENT, Path(options.membership) / "token")
    return connect(Path(options.hub_kubeconfig))


if __name__ == "__main__":
    sys.exit(main())
