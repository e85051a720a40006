"""The one door to prometheus_client: what operator and agent count.

Labels have few values: kinds, phases, outcomes, roles, and the names of objects that an administrator makes. A series
of an object goes when the object does. `network` is the namespace of rounds, models and clinics on the hub. Nothing
here is of a patient, and what an agent counts stays in its clinic.
"""

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app

Registry = CollectorRegistry

COMMON, OPERATOR_ONLY, AGENT_ONLY = Registry(), Registry(), Registry()

# --- operator and agent

RECONCILES = Counter("fedround_reconciles", "Reconciles by kind and result.", ("kind", "result"), registry=COMMON)
RECONCILE_SECONDS = Histogram(
    "fedround_reconcile_duration_seconds",
    "How long a reconcile took.",
    ("kind",),
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
    registry=COMMON,
)
QUEUE_DEPTH = Gauge("fedround_queue_depth", "Keys that wait for a worker.", registry=COMMON)
QUEUE_WAIT_SECONDS = Histogram(
    "fedround_queue_wait_seconds",
    "How long a key that was due waited for a worker.",
    buckets=(0.001, 0.01, 0.1, 1, 3, 10, 30, 100),
    registry=COMMON,
)
WATCH_ANSWERED = Gauge(
    "fedround_watch_last_answer_timestamp_seconds",
    "When the API server last answered the watch of a kind, or sent an event; a quiet one is opened anew each minute.",
    ("resource",),
    registry=COMMON,
)
STATUS_WRITE_ERRORS = Counter(
    "fedround_status_write_errors",
    "Status writes that failed, by kind and the API server's code; 409 is somebody else's write, and harmless.",
    ("resource", "code"),
    registry=COMMON,
)
JOB_SECONDS = Histogram(
    "fedround_job_duration_seconds",
    "How long an attempt of a Job took, from its start to its end, by role and outcome.",
    ("role", "outcome"),
    buckets=(1, 3, 10, 30, 100, 300, 1000, 3600, 3 * 3600, 8 * 3600, 24 * 3600),
    registry=COMMON,
)

# --- operator

LEADER = Gauge("fedround_leader", "1 while this process holds the Lease.", registry=OPERATOR_ONLY)
ROUNDS = Counter(
    "fedround_rounds",
    "Rounds that ended, by model and outcome.",
    ("network", "model", "outcome"),
    registry=OPERATOR_ONLY,
)
ROUND_PHASE = Gauge(
    "fedround_round_phase",
    "1 for the phase in which a round is that has not ended.",
    ("network", "model", "round", "phase"),
    registry=OPERATOR_ONLY,
)
PHASE_BEGAN = Gauge(
    "fedround_round_phase_start_timestamp_seconds",
    "When the phase began in which a round is that has not ended.",
    ("network", "model", "round"),
    registry=OPERATOR_ONLY,
)
ROUND_DEADLINE = Gauge(
    "fedround_round_deadline_timestamp_seconds",
    "When the phase ends at the latest in which a round is that has not ended.",
    ("network", "model", "round"),
    registry=OPERATOR_ONLY,
)
PHASE_SECONDS = Histogram(
    "fedround_round_phase_duration_seconds",
    "How long a phase lasted that a round has completed.",
    ("network", "model", "phase"),
    buckets=(1, 3, 10, 30, 100, 300, 1000, 3600, 3 * 3600, 8 * 3600, 24 * 3600),
    registry=OPERATOR_ONLY,
)
ROUND_CLINICS = Gauge(
    "fedround_model_round_clinics",
    "Clinics of a model's newest round: asked, available while it waits to start, and by where they stand after that.",
    ("network", "model", "state"),
    registry=OPERATOR_ONLY,
)
ROUND_MINIMUM = Gauge(
    "fedround_model_round_clinics_minimum",
    "Clinics that a model's newest round needs.",
    ("network", "model"),
    registry=OPERATOR_ONLY,
)
ROLLBACKS = Gauge(
    "fedround_model_rollbacks_in_a_row",
    "Candidates of a model that were rolled back since the last one that was promoted.",
    ("network", "model"),
    registry=OPERATOR_ONLY,
)
MODEL_VERSION = Gauge(
    "fedround_model_version",
    "A model's current version, and the one that clinics may use.",
    ("network", "model", "version"),
    registry=OPERATOR_ONLY,
)
MODEL_FIGURE = Gauge(
    "fedround_model_figure",
    "Figures on the gate split of a model's last candidate, its current and its released version, as they were judged.",
    ("network", "model", "version", "figure"),
    registry=OPERATOR_ONLY,
)
HIGH_RISK_CASES = Gauge(
    "fedround_candidate_high_risk_cases",
    "High-risk cases that a model's last candidate lost, and gained, against the version before it.",
    ("network", "model", "change"),
    registry=OPERATOR_ONLY,
)
EVALUATIONS = Gauge(
    "fedround_model_evaluations",
    "How often a model's test set was used to judge a candidate.",
    ("network", "model"),
    registry=OPERATOR_ONLY,
)
CLINIC_STATE = Gauge(
    "fedround_clinic_state",
    "1 for the state in which a clinic is, 0 for the others.",
    ("network", "clinic", "state"),
    registry=OPERATOR_ONLY,
)
CLINIC_CERTIFICATE_END = Gauge(
    "fedround_clinic_certificate_expiry_timestamp_seconds",
    "When the newest certificate of a clinic ends, as the hub has it on record.",
    ("network", "clinic"),
    registry=OPERATOR_ONLY,
)

GATEWAY_SHOWN_END = Gauge(
    "fedround_gateway_certificate_expiry_timestamp_seconds",
    "When the certificate ends that the hub's gateway shows; 0 before it was seen.",
    registry=OPERATOR_ONLY,
)

# --- agent

HEARTBEAT = Gauge(
    "fedround_agent_last_heartbeat_timestamp_seconds",
    "When the hub last took a renewal of the agent's Lease; 0 before the first one.",
    registry=AGENT_ONLY,
)
CERTIFICATE_END = Gauge(
    "fedround_agent_certificate_expiry_timestamp_seconds",
    "When the certificate ends that the clinic's agent uses.",
    registry=AGENT_ONLY,
)
GATEWAY_CERTIFICATE_END = Gauge(
    "fedround_agent_gateway_certificate_expiry_timestamp_seconds",
    "When the certificate ends that the hub's gateway shows to the agent.",
    registry=AGENT_ONLY,
)
IMAGES_QUARANTINED = Gauge(
    "fedround_clinic_images_quarantined",
    "Images that the clinic's last training set aside, by cause.",
    ("cause",),
    registry=AGENT_ONLY,
)
TRAINING_CASES = Gauge(
    "fedround_clinic_training_cases", "Cases that the clinic's last training was on.", registry=AGENT_ONLY
)


def _together(*parts: Registry) -> Registry:
    """A registry of all that is in others."""
    whole = Registry()
    for part in parts:
        whole.register(part)
    return whole


# An agent that showed the operator's gauges would look like one that has lost its Lease.
OPERATOR, AGENT = _together(COMMON, OPERATOR_ONLY), _together(COMMON, AGENT_ONLY)
REGISTRY = _together(COMMON, OPERATOR_ONLY, AGENT_ONLY)


def application(registry: Registry) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """A WSGI application that answers a scrape of a program's registry."""
    scrape: Callable[[dict[str, Any], Any], Iterable[bytes]] = make_wsgi_app(registry)
    return scrape
