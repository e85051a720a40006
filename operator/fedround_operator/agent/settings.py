"""What the agent is told when it starts."""

from dataclasses import dataclass

from fedround_api.names import clinic_namespace
from fedround_operator.kit.jobmanifests import NOBODY, RunAs

# The agent's own ServiceAccount, as the chart names it in a release `fedround`.
ACCOUNT = "fedround-agent"


@dataclass(frozen=True)
class AgentSettings:
    """The clinic and where its Jobs run; the same for all rounds."""

    clinic: str
    namespace: str
    image: str
    workspace_claim: str = "workspace"
    images_claim: str = "images"
    certificate_secret: str = "fedround-certificate"  # noqa: S105 - the name of an object
    account: str = ACCOUNT
    run_as: RunAs = NOBODY

    @property
    def hub_namespace(self) -> str:
        """The clinic's namespace on the hub."""
        return clinic_namespace(self.clinic)
