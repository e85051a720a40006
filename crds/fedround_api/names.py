"""Names and labels of the objects that operator, agent and the embedded federation make and look for."""

PART_OF = "app.kubernetes.io/part-of"
PART_OF_VALUE = "fedround"
ROLE_LABEL = "fedround.dev/role"
ROUND_LABEL = "fedround.dev/round"
ROUND_NAMESPACE_LABEL = "fedround.dev/round-namespace"
ROUND_UID_LABEL = "fedround.dev/round-uid"
MODEL_LABEL = "fedround.dev/model"
MODEL_UID_LABEL = "fedround.dev/model-uid"
CLINIC_LABEL = "fedround.dev/clinic"
NETWORK_LABEL = "fedround.dev/network"
CLINIC_ROUND_UID_LABEL = "fedround.dev/clinic-round-uid"
ATTEMPT_LABEL = "fedround.dev/attempt"
# On the two Jobs of one `fedround clinic preflight`; they belong to no part of a round.
PREFLIGHT_LABEL = "fedround.dev/preflight"

LEASE_NAME = "agent"
AGENT_VERSION_ANNOTATION = "fedround.dev/agent-version"
CASE_VOLUME_ANNOTATION = "fedround.dev/case-volume"
# In the Lease: a request for the agent's next certificate, signed by its present key, and the administrator's answer.
RENEWAL_REQUEST_ANNOTATION = "fedround.dev/certificate-request"
RENEWAL_SIGNATURE_ANNOTATION = "fedround.dev/certificate-request-signature"
RENEWED_CERTIFICATE_ANNOTATION = "fedround.dev/certificate"

# On a round that was restored from a backup: the UID that it had, by which the object store knows it.
STORED_UID_ANNOTATION = "fedround.dev/stored-uid"

# In the network's namespace: where the object store is and which Secret opens it, for the commands of administrators.
STORE_CONFIG_MAP = "fedround-store"

LONGEST_NAME = 40


def clinic_namespace(clinic: str) -> str:
    """The clinic's namespace on the hub."""
    return f"clinic-{clinic}"


def uid8(uid: str) -> str:
    """The first eight characters of an object's UID: tells an object from its deleted namesake."""
    return uid[:8]


def job_name(owner: str, role: str, uid: str, attempt: int) -> str:
    """The name of a Job: at most 63 characters when the owner's name has at most 40."""
    return f"{owner}-{role}-{uid8(uid)}-a{attempt}"


def clinic_round_name(round_name: str, round_uid: str) -> str:
    """The name of a clinic's part in a round, the same in every clinic's namespace."""
    return f"{round_name}-{uid8(round_uid)}"
