"""A clinic of this federation as its chart would have installed it: what its Jobs are made from."""

from fedround_local.errors import StateUnusable
from fedround_local.federation import layout
from fedround_local.federation.federation import Federation
from fedround_operator.agent.policy import load_policy
from fedround_operator.agent.preflight import Installed
from fedround_operator.agent.settings import AgentSettings


def installation(federation: Federation, clinic: str) -> Installed:
    """The installation of a clinic.

    Raises:
        StateUnusable: there is no such clinic, or no federation.
        PolicyInvalid: its policy cannot be used.
    """
    record = federation.record()
    if clinic not in record.clinics:
        raise StateUnusable(f"there is no clinic {clinic} in {federation.place.state}: {', '.join(record.clinics)}")
    policy = load_policy(federation.place.policy(clinic)).spec
    return Installed(
        settings=AgentSettings(
            clinic=clinic,
            namespace=layout.local_namespace(clinic),
            image=layout.IMAGE,
            workspace_claim=layout.WORKSPACE_CLAIM,
            images_claim=layout.IMAGES_CLAIM,
            certificate_secret=layout.CERTIFICATE_SECRET,
        ),
        gateway=federation.parts(record).gateway.settings.address,
        # One program for all images: the node looks `python` up beside it.
        agent_image=layout.IMAGE,
        membership_secret=layout.MEMBERSHIP_SECRET,
        allow_unlocked=policy.training.allow_unlocked,
        allow_none=policy.privacy.allow_none,
    )
