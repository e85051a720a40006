"""How long a certificate holds, and when its holder asks for the next one. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# The administrator who has to approve is a person with holidays: a month leaves time for a reminder or two.
RENEWAL = timedelta(days=30)


@dataclass(frozen=True)
class Validity:
    """From when to when a certificate holds."""

    begins: datetime
    ends: datetime

    @property
    def renew_at(self) -> datetime:
        """When the next one is asked for: a month before the end, or in the last third of a short life."""
        return self.ends - min(RENEWAL, (self.ends - self.begins) / 3)

    def holds(self, now: datetime) -> bool:
        """Whether it is valid now."""
        return self.begins <= now < self.ends
