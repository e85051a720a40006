"""Looks whether an installed hub works: `python -m fedround_operator.hub.check`, the hub chart's `helm test`.

The operator is ready, the gateway shows a certificate that clinics will trust and lets nobody in without one, the store
takes and gives objects, and the test set, where one is named, is the one that the model will name.
"""

import argparse
import ssl
import sys
from pathlib import Path

from fedround_api.checks import Check, CheckFailed
from fedround_operator.hub.bucket import Bucket, StoreUnusable
from fedround_operator.hub.settings import store_address
from fedround_operator.kit.checks import answers, patient, run_checks, tls_context
from fedround_operator.kit.doors import host_and_port, opened
from fedround_operator.kit.options import Options


def _options(arguments: list[str]) -> argparse.Namespace:
    options = Options("fedround-check", "Looks whether an installed hub works.")
    options.add("operator-url", "address of the operator's readiness probe")
    options.add("gateway", "host:port of the gateway, as the clinics reach it")
    options.add("gateway-service", "host:port of the gateway inside the cluster")
    options.add("authorities", "folder with the certificates of those that may have issued the gateway's, as *.crt")
    options.add("store-endpoint", "host:port of the object store")
    options.add("store-bucket", "bucket", "fedround")
    options.add("store-region", "region that requests are signed for", "us-east-1")
    options.add("store-https", "whether the object store speaks TLS: true or false", "false")
    options.add("store-keys", "folder with access-key, secret-key and, for https, ca.crt")
    options.add("test-set-prefix", "folder of the bucket with the test set; empty: none to look at", "")
    options.add("test-set-manifest", "sha256 of its manifest", "")
    return options.parse(arguments)


def gateway(service: str, name: str, authorities: Path) -> str:
    """That the gateway proves to be `name` (host:port), and does not talk to a caller without a certificate."""
    context = tls_context(authorities)
    server_name = host_and_port(name)[0]
    try:
        with opened(service, context, shown_as=name) as tls:
            said = _answer(tls, name)
    except ssl.SSLCertVerificationError as error:
        raise CheckFailed(
            f"clinics will not trust the gateway as {server_name}: {error.verify_message}. "
            "Its certificate must name the address that clinics use, and be by the federation's authority or by the "
            "one in ca.crt of its Secret"
        ) from error
    except OSError as error:
        raise CheckFailed(f"{service} does not answer ({error}): look at the gateway's log") from error
    if said:
        raise CheckFailed(f"{service} answers callers that show no certificate")
    return f"it proves to be {server_name} and refuses callers without a certificate"


def _answer(tls: ssl.SSLSocket, name: str) -> bytes:
    """What comes back without a client certificate: nothing. TLS 1.3 tells of the refusal after the handshake."""
    try:
        tls.sendall(f"GET /version HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        return tls.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


def store(bucket: Bucket) -> str:
    """That the hub can write, read and remove in its bucket."""
    try:
        bucket.probe()
    except StoreUnusable as error:
        raise CheckFailed(f"{error}. Look at the Secret with its keys, and at its network policy") from error
    return "an object was written, read and removed"


def test_set(bucket: Bucket, prefix: str, manifest: str) -> str:
    """That the manifest below the prefix is the expected one."""
    try:
        found = bucket.digest_of(f"{prefix}/manifest.json")
    except StoreUnusable as error:
        raise CheckFailed(f"{error}. Copy the test set to {prefix}/ of the bucket") from error
    if found != manifest:
        raise CheckFailed(f"{prefix}/manifest.json has the sha256 {found}, not {manifest}")
    return f"{prefix}/manifest.json has the sha256 {found}"


def main(arguments: list[str] | None = None) -> int:
    """Check everything; the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    bucket = Bucket(store_address(options), Path(options.store_keys))
    checks: dict[str, Check] = {
        "operator": lambda: answers(options.operator_url),
        "gateway": lambda: gateway(options.gateway_service, options.gateway, Path(options.authorities)),
        "store": lambda: store(bucket),
    }
    if options.test_set_prefix:
        checks["test set"] = lambda: test_set(bucket, options.test_set_prefix, options.test_set_manifest)
    return run_checks(patient(checks))


if __name__ == "__main__":
    sys.exit(main())
