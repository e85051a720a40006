"""What the agent is told when it starts."""

from dataclasses import dataclass

from fedround_api.names import clinic_namespace
from fedround_operator.kit.jobmanifests import NOBODY, RunAs


@dataclass(frozen=True)
class AgentSettings:
    """The clinic and where its Jobs run; the same for all rounds."""

    clinic: str
    namespace: str
    image: str
    workspace_claim: str = "workspace"
    images_claim: str = "images"
    certificate_secret: str = "fedround-certificate"  # noqa: S105 - the name of an object
    run_as: RunAs = NOBODY

    @property
    def hub_namespace(self) -> str:
        """The clinic's namespace on the hub."""
        return clinic_namespace(self.clinic)
