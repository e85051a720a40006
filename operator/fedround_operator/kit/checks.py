"""What `helm test` runs: checks in order, each told in a line, and an exit code that says which failed.

What a check is stands in `fedround_api.checks`.
"""

import os
import ssl
import sys
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from fedround_api.checks import Check, CheckFailed, CheckResult, Noted, made, report_text
from fedround_api.jobs import REPORT_VARIABLE

TIMEOUT_SECONDS = 15.0
# On a slow node a program starts within a minute; what is wrong for good is told this late.
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 2.0


def run_checks(checks: Mapping[str, Check], needs: Mapping[str, str] = MappingProxyType({})) -> int:
    """Make all of them, and report where this runs as a Job; 0, or the number (from 1) of the first that failed."""
    failed, found = 0, []
    for number, one in enumerate(made(checks, needs, log_defect=traceback.print_exception), start=1):
        bad = one.result is CheckResult.FAILED
        word = one.result.upper() if bad else one.result
        print(f"{word:<7} {one.name}: {one.message}", file=sys.stderr if bad else sys.stdout, flush=True)
        failed = failed or (number if bad else 0)
        found.append(one)
        if REPORT_VARIABLE in os.environ:
            # Anew after each: a process that is killed has told what it found.
            Path(os.environ[REPORT_VARIABLE]).write_text(report_text(found))
    return failed


def patient(
    checks: Mapping[str, Check], seconds: float = PATIENCE_SECONDS, pause_seconds: float = PAUSE_SECONDS
) -> dict[str, Check]:
    """The same checks; one that fails is tried again, all of them together for so long from now.

    For the test of a release, which is often called while its programs still start.
    """
    until = time.monotonic() + seconds
    return {name: partial(_patiently, check, until, pause_seconds) for name, check in checks.items()}


def _patiently(check: Check, until: float, pause_seconds: float) -> str | Noted:
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
