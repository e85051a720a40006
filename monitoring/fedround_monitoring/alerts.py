"""The alerts. Each has a section of its name in docs/runbooks.md, and its tests in tests/integration/monitoring."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# The charts put their own address of the page in place of this one.
RUNBOOKS = "docs/runbooks.md"
# And the namespace of their release in place of these: what is absent has no labels, and must not be made up for by
# another release that the same Prometheus watches.
HUB_NAMESPACE, CLINIC_NAMESPACE = "fedround-system", "fedround"
DAY_SECONDS = 86_400


class Severity(StrEnum):
    """What is asked of who gets the alert."""

    CRITICAL = "critical"  # now: something has stopped
    WARNING = "warning"  # in the next days
    INFO = "info"  # to be known


@dataclass(frozen=True)
class Alert:
    """What is told when an expression has given something for a while."""

    name: str
    expression: str
    lasts: str
    severity: Severity
    summary: str

    def rule(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.lasts,
            "labels": {"severity": self.severity.value},
            "annotations": {"summary": self.summary, "runbook_url": f"{RUNBOOKS}#{self.name.lower()}"},
        }


def _ending(name: str, metric: str, whose: str) -> tuple[Alert, Alert]:
    """Three weeks and one week before a certificate ends; 0 is one that was not seen yet."""

    def alert(days: int, severity: Severity) -> Alert:
        left = f"{metric} - time() < {days * DAY_SECONDS}"
        return Alert(name, f"{left} and {metric} > 0", "10m", severity, f"{whose} ends in less than {days} days")

    return alert(21, Severity.WARNING), alert(7, Severity.CRITICAL)


BOTH = (
    Alert(
        "FedroundWatchStale",
        "time() - fedround_watch_last_answer_timestamp_seconds > 300",
        "2m",
        Severity.WARNING,
        "{{ $labels.instance }} has had no answer to its watch of {{ $labels.resource }} for "
        "{{ $value | humanizeDuration }}",
    ),
    Alert(
        "FedroundReconcileErrors",
        'sum by (instance, kind) (increase(fedround_reconciles_total{result="error"}[15m])) > 20',
        "5m",
        Severity.WARNING,
        "{{ $labels.instance }} keeps failing at something of kind {{ $labels.kind }}",
    ),
    Alert(
        "FedroundStatusWritesRefused",
        "sum by (instance, resource, code) "
        '(increase(fedround_status_write_errors_total{code!~"409|unreachable"}[15m])) > 0',
        "5m",
        Severity.WARNING,
        "The API server refuses the status of {{ $labels.resource }} with {{ $labels.code }}",
    ),
    Alert(
        "FedroundQueueWaitLong",
        "histogram_quantile(0.9, sum by (instance, le) (rate(fedround_queue_wait_seconds_bucket[10m]))) > 10",
        "10m",
        Severity.WARNING,
        "One key in ten waits {{ $value | humanizeDuration }} for a worker of {{ $labels.instance }}",
    ),
    Alert(
        "FedroundJobsFailing",
        # Between two and three: an increase is drawn out to the whole hour, and two become a little more.
        'sum by (instance, role) (increase(fedround_job_duration_seconds_count{outcome="Failed"}[1h])) > 2.5',
        "0m",
        Severity.WARNING,
        'Jobs with role {{ $labels.role }} have failed {{ $value | printf "%.0f" }} times within an hour',
    ),
)

HUB = (
    Alert(
        "FedroundOperatorDown",
        f'absent(fedround_leader{{namespace="{HUB_NAMESPACE}"}})',
        "5m",
        Severity.CRITICAL,
        "No operator answers: no round goes on",
    ),
    Alert(
        "FedroundOperatorNotLeader",
        f'max by (namespace) (fedround_leader{{namespace="{HUB_NAMESPACE}"}}) == 0',
        "5m",
        Severity.CRITICAL,
        "An operator runs, but none holds the Lease: no round goes on",
    ),
    Alert(
        "FedroundRoundFailed",
        'sum by (network, model) (increase(fedround_rounds_total{outcome="Failed"}[1h])) > 0',
        "0m",
        Severity.WARNING,
        "A round of {{ $labels.model }} has failed",
    ),
    Alert(
        "FedroundRoundNearDeadline",
        "(fedround_round_deadline_timestamp_seconds - time()) / "
        "(fedround_round_deadline_timestamp_seconds - fedround_round_phase_start_timestamp_seconds) < 0.1",
        "0m",
        Severity.WARNING,
        "Round {{ $labels.round }} of {{ $labels.model }} has less than a tenth of its phase's time left",
    ),
    Alert(
        "FedroundRollback",
        'sum by (network, model) (increase(fedround_rounds_total{outcome="RolledBack"}[1h])) > 0',
        "0m",
        Severity.INFO,
        "The gate has refused a candidate of {{ $labels.model }}; the version before it stays",
    ),
    Alert(
        "FedroundRollbacksInARow",
        "fedround_model_rollbacks_in_a_row >= 3",
        "0m",
        Severity.WARNING,
        "The gate has refused the last {{ $value }} candidates of {{ $labels.model }}",
    ),
    Alert(
        "FedroundClinicUnavailable",
        'fedround_clinic_state{state="Unavailable"} == 1',
        "15m",
        Severity.WARNING,
        "{{ $labels.clinic }} has given no sign of life for 15 minutes",
    ),
    Alert(
        "FedroundTooFewClinics",
        'fedround_model_round_clinics{state="Available"} '
        "< on (instance, network, model) fedround_model_round_clinics_minimum",
        "5m",
        Severity.WARNING,
        "A round of {{ $labels.model }} waits: {{ $value }} clinics are available, fewer than it needs",
    ),
    *_ending(
        "FedroundClinicCertificateEnding",
        "fedround_clinic_certificate_expiry_timestamp_seconds",
        "The certificate of {{ $labels.clinic }}",
    ),
    *_ending(
        "FedroundHubGatewayCertificateEnding",
        "fedround_gateway_certificate_expiry_timestamp_seconds",
        "The certificate of the gateway, without which no clinic reaches the hub,",
    ),
)

CLINIC = (
    Alert(
        "FedroundAgentDown",
        f'absent(fedround_agent_last_heartbeat_timestamp_seconds{{namespace="{CLINIC_NAMESPACE}"}})',
        "5m",
        Severity.CRITICAL,
        "The agent does not answer: this clinic takes part in nothing",
    ),
    Alert(
        "FedroundAgentCannotReachHub",
        "time() - fedround_agent_last_heartbeat_timestamp_seconds > 300",
        "5m",
        Severity.WARNING,
        "The hub has taken no sign of life of {{ $labels.instance }} for 5 minutes",
    ),
    *_ending(
        "FedroundAgentCertificateEnding",
        "fedround_agent_certificate_expiry_timestamp_seconds",
        "The certificate that {{ $labels.instance }} uses",
    ),
    *_ending(
        "FedroundGatewayCertificateEnding",
        "fedround_agent_gateway_certificate_expiry_timestamp_seconds",
        "The certificate of the hub's gateway",
    ),
    Alert(
        "FedroundImagesSetAside",
        "sum by (instance) (fedround_clinic_images_quarantined) / "
        "(sum by (instance) (fedround_clinic_images_quarantined) + sum by (instance) (fedround_clinic_training_cases))"
        " > 0.05",
        "0m",
        Severity.WARNING,
        "The last training set {{ $value | humanizePercentage }} of its images aside",
    ),
)


def groups(name: str, alerts: tuple[Alert, ...]) -> dict[str, Any]:
    """A file of rules, which is the spec of a PrometheusRule too."""
    return {"groups": [{"name": name, "rules": [alert.rule() for alert in alerts]}]}


HUB_RULES = groups("fedround-hub", (*HUB, *BOTH))
CLINIC_RULES = groups("fedround-clinic", (*CLINIC, *BOTH))
