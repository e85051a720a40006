"""The one door to prometheus_client: what operator and agent count."""

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app

REGISTRY = CollectorRegistry()

RECONCILES = Counter("fedround_reconciles", "Reconciles by kind and result.", ("kind", "result"), registry=REGISTRY)
RECONCILE_SECONDS = Histogram(
    "fedround_reconcile_duration_seconds",
    "How long a reconcile took.",
    ("kind",),
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge("fedround_queue_depth", "Keys that wait for a worker.", registry=REGISTRY)
ROUNDS = Counter("fedround_rounds", "Rounds that ended, by model and outcome.", ("model", "outcome"), registry=REGISTRY)
STATUS_WRITE_ERRORS = Counter(
    "fedround_status_write_errors", "Status writes that the API server refused, by kind.", ("kind",), registry=REGISTRY
)
WATCH_ANSWERED = Gauge(
    "fedround_watch_last_answer_timestamp_seconds",
    "When the API server last answered the watch of a kind, or sent an event; a quiet one is opened anew each minute.",
    ("resource",),
    registry=REGISTRY,
)
LEADER = Gauge("fedround_leader", "1 while this process holds the Lease.", registry=REGISTRY)

HEARTBEAT = Gauge(
    "fedround_agent_last_heartbeat_timestamp_seconds",
    "When the hub last took a renewal of the agent's Lease.",
    registry=REGISTRY,
)

CERTIFICATE_END = Gauge(
    "fedround_agent_certificate_expiry_timestamp_seconds",
    "When the certificate ends that the clinic's agent uses.",
    registry=REGISTRY,
)

CLINIC_CERTIFICATE_END = Gauge(
    "fedround_clinic_certificate_expiry_timestamp_seconds",
    "When the newest certificate of a clinic ends, as the hub has it on record.",
    ("clinic",),
    registry=REGISTRY,
)

IMAGES_QUARANTINED = Gauge(
    "fedround_clinic_images_quarantined",
    "Images that the clinic's last training set aside, by cause.",
    ("cause",),
    registry=REGISTRY,
)


def application() -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """A WSGI application that answers a scrape."""
    scrape: Callable[[dict[str, Any], Any], Iterable[bytes]] = make_wsgi_app(REGISTRY)
    return scrape
