"""Makes the hub's bucket, once the object store answers: `python -m fedround_operator.hub.prepare`.

The first container of the operator's pod where the chart brings a store of its own. Repeating it changes nothing.
"""

import argparse
import logging
import sys
import threading
from pathlib import Path

from fedround_operator.hub.bucket import Bucket, StoreUnusable
from fedround_operator.hub.settings import store_address
from fedround_operator.kit.options import Options
from fedround_operator.kit.process import set_up

# A store that was started together with us answers within seconds; one that never does is told of at each attempt.
PAUSE_SECONDS = 2.0

log = logging.getLogger("fedround_operator.hub.prepare")


def _options(arguments: list[str]) -> argparse.Namespace:
    options = Options("fedround-prepare", "Makes the bucket of a fedround hub.")
    options.add("store-endpoint", "host:port of the object store")
    options.add("store-bucket", "bucket", "fedround")
    options.add("store-region", "region that requests are signed for", "us-east-1")
    options.add("store-https", "whether the object store speaks TLS: true or false", "false")
    options.add("store-keys", "folder with access-key, secret-key and, for https, ca.crt")
    return options.parse(arguments)


def ensure(bucket: Bucket, stop: threading.Event, pause_seconds: float = PAUSE_SECONDS) -> bool:
    """Make the bucket, as often as it takes; False when stopped before."""
    while not stop.is_set():
        try:
            made = bucket.ensure()
        except StoreUnusable as error:
            log.warning("waiting for the object store error=%s", error)
            stop.wait(pause_seconds)
        else:
            log.info("the bucket is there made=%s", made)
            return True
    return False


def main(arguments: list[str] | None = None) -> int:
    """Run until the bucket is there; the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    stop = threading.Event()
    set_up(stop)
    return 0 if ensure(Bucket(store_address(options), Path(options.store_keys)), stop) else 1


if __name__ == "__main__":
    sys.exit(main())
