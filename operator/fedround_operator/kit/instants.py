"""Points in time as Kubernetes writes them (RFC 3339, UTC). Pure: nobody asks a clock here."""

from datetime import UTC, datetime


def parse(text: str) -> datetime:
    """The instant in RFC 3339 text; a fraction and any offset are understood."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def text_of(instant: datetime) -> str:
    """The instant to the second, as in creationTimestamp."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_text_of(instant: datetime) -> str:
    """The instant to the microsecond (metav1.MicroTime), as in a Lease."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
