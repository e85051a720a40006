"""`python -m fedround_local.node`: reads the command line and runs the node until SIGTERM."""

import argparse
import json
import logging
import signal
import ssl
from decimal import Decimal
from pathlib import Path

import psutil

from fedround_local.node import registration
from fedround_local.node.api import Api
from fedround_local.node.binding import Capacity
from fedround_local.node.logs import serve_logs
from fedround_local.node.loop import Node, Settings
from fedround_local.node.pod import parse_quantity
from fedround_local.node.reporting import Reporter


def main() -> None:
    wanted = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # A connection that ended with its API server is reported by whoever used it.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    machine = registration.this_machine()
    memory = int(wanted.memory) if wanted.memory else psutil.virtual_memory().total
    capacity = Capacity(wanted.name, wanted.cpus, memory, registration.labels(wanted.name, machine))
    log_port = _serve_logs(wanted)
    reporter = Reporter(Api(wanted.kubeconfig), capacity, machine, log_port)
    node = Node(Settings(wanted.state.absolute(), capacity, dict(wanted.image)), reporter)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: node.stop())
    node.run()


def _serve_logs(wanted: argparse.Namespace) -> int | None:
    if wanted.log_certificate is None:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(wanted.log_client_ca)
    tls.load_cert_chain(wanted.log_certificate, wanted.log_certificate.with_suffix(".key"))
    return serve_logs(wanted.state.absolute(), tls, wanted.log_client)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fedround_local.node", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder for pods and volumes")
    parser.add_argument("--name", default="local", help="name of the Node object")
    parser.add_argument("--cpus", type=parse_quantity, default=Decimal(2), help="what pods may request together")
    parser.add_argument("--memory", type=parse_quantity, help="the same for memory; all there is, unless given")
    parser.add_argument(
        "--image", type=_image, action="append", default=[], metavar="NAME=JSON", help="argv prefix for an image"
    )
    parser.add_argument("--log-certificate", type=Path, help="*.crt beside its *.key: serve logs to the API server")
    parser.add_argument("--log-client-ca", type=Path, help="authority of the API server's client certificate")
    parser.add_argument("--log-client", default="kube-apiserver-kubelet-client", help="its common name")
    return parser.parse_args()


def _image(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, prefix = text.partition("=")
    argv = json.loads(prefix)
    if not name or not isinstance(argv, list) or not argv or not all(isinstance(one, str) for one in argv):
        raise argparse.ArgumentTypeError(f'expected NAME=["program", ...], not {text}')
    return name, tuple(argv)


if __name__ == "__main__":
    main()
