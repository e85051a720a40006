"""How operator and agent behave as processes: logging, signals, and an end that shows when a thread dies."""

import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime


def set_up(stop: threading.Event) -> None:
    """Log to standard error, stop on SIGTERM and SIGINT, and end the process when any thread fails."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("kopf", "urllib3", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.excepthook = _end_process


def _end_process(failure: threading.ExceptHookArgs) -> None:
    # A thread that dies would leave a process that looks alive and does nothing.
    logging.getLogger(__name__).critical(
        "thread failed name=%s", failure.thread.name if failure.thread else "?", exc_info=failure.exc_value
    )
    logging.shutdown()
    os._exit(70)


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)
