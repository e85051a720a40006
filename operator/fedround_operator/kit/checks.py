"""What `helm test` runs: checks in order, each told in a line, and an exit code that says which failed.

Each check is a function that returns what it found, or raises CheckFailed with what is wrong and what to do about it.
One that fails is tried again for a while: the test of a release is often called while its programs still start.
"""

import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

TIMEOUT_SECONDS = 15.0
# For all checks together. On a slow node a program starts within a minute; what is wrong for good is told this late.
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 2.0


class CheckFailed(Exception):
    """What was looked at is not as it should be: one sentence on what is wrong and what to do."""


Check = Callable[[], str]


def run_checks(
    checks: Mapping[str, Check], patience_seconds: float = PATIENCE_SECONDS, pause_seconds: float = PAUSE_SECONDS
) -> int:
    """Run all of them; 0, or the number (from 1) of the first that failed."""
    failed, until = 0, time.monotonic() + patience_seconds
    for number, (name, check) in enumerate(checks.items(), start=1):
        try:
            print(f"ok      {name}: {_patiently(check, until, pause_seconds)}", flush=True)
        except CheckFailed as problem:
            print(f"FAILED  {name}: {problem}", file=sys.stderr, flush=True)
            failed = failed or number
    return failed


def _patiently(check: Check, until: float, pause_seconds: float) -> str:
    while True:
        try:
            return check()
        except CheckFailed:
            if time.monotonic() + pause_seconds > until:
                raise
            time.sleep(pause_seconds)


def answers(url: str) -> str:
    """That a program answers at its probe's address with success."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - an address of the chart's own
            return f"{url} answered {answer.status}"
    except urllib.error.HTTPError as error:
        said = error.read(500).decode(errors="replace").strip()
        raise CheckFailed(f"{url} answered {error.code}: {said}") from error
    except OSError as error:
        raise CheckFailed(f"{url} does not answer ({error}): look at the pod's log") from error


def tls_context(authorities: Path) -> ssl.SSLContext:
    """TLS that trusts the authorities whose certificates are in the folder, and no others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in authorities.glob("*.crt"):
        try:
            context.load_verify_locations(path)
        except OSError as error:
            raise CheckFailed(f"{path} is no certificate of an authority: {error}") from error
    return context
