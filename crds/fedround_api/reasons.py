"""Every reason that a condition can give, with one sentence that says what it means and one that says what to do.

Conditions, events, the command line and the documentation use these words and no others.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Condition reasons (PascalCase, Kubernetes API conventions)."""

    # accepting and starting a round
    ACCEPTED = "Accepted"
    MODEL_NOT_FOUND = "ModelNotFound"
    MODEL_NOT_READY = "ModelNotReady"
    MODEL_BUSY = "ModelBusy"
    TOO_FEW_CLINICS = "TooFewClinics"
    WAITING_FOR_CLINICS = "WaitingForClinics"
    START_DEADLINE_PASSED = "StartDeadlinePassed"
    SUSPENDED = "Suspended"
    CANCELLED = "Cancelled"
    # training
    STARTED = "Started"
    TRAINING = "Training"
    QUORUM_MET = "QuorumMet"
    QUORUM_NOT_MET = "QuorumNotMet"
    NEITHER_NOISED_NOR_MASKED = "NeitherNoisedNorMasked"
    # aggregating, validating, promoting
    AGGREGATING = "Aggregating"
    VALIDATING = "Validating"
    COMPLETED = "Completed"
    DEADLINE_PASSED = "DeadlinePassed"
    BASE_MOVED = "BaseMoved"
    # verdicts
    GATE_PASSED = "GatePassed"
    WARM_UP_PASSED = "WarmUpPassed"
    RELEASED = "Released"
    WARM_UP_AUROC_LOWER = "WarmUpAurocLower"
    HIGH_RISK_CASES_LOST = "HighRiskCasesLost"
    SENSITIVITY_BELOW_FLOOR = "SensitivityBelowFloor"
    SPECIFICITY_BELOW_FLOOR = "SpecificityBelowFloor"
    AUROC_BELOW_FLOOR = "AurocBelowFloor"
    SPECIFICITY_DROPPED = "SpecificityDropped"
    AUROC_DROPPED = "AurocDropped"
    BELOW_ANCHOR = "BelowAnchor"
    # how a Job ended
    BAD_JOB_INPUT = "BadJobInput"
    BAD_DATA = "BadData"
    NO_RECENT_CASES = "NoRecentCases"
    INTERNAL_ERROR = "InternalError"
    STORE_UNAVAILABLE = "StoreUnavailable"
    STORE_REFUSED = "StoreRefused"
    DIGEST_MISMATCH = "DigestMismatch"
    NOT_SAFETENSORS = "NotSafetensors"
    WRONG_SHAPE = "WrongShape"
    NOT_FINITE = "NotFinite"
    TEST_SET_CHANGED = "TestSetChanged"
    TOO_LARGE = "TooLarge"
    JOB_KILLED = "JobKilled"
    REPORT_MISSING = "ReportMissing"
    # clinics and their part in a round
    LEASE_RENEWED = "LeaseRenewed"
    LEASE_EXPIRED = "LeaseExpired"
    LEASE_MISSING = "LeaseMissing"
    POLICY_FORBIDS_UNPROTECTED = "PolicyForbidsUnprotected"
    POLICY_UNREADABLE = "PolicyUnreadable"
    WORKING = "Working"
    SUBMITTED = "Submitted"
    ROUND_CLOSED = "RoundClosed"
    # models
    INITIALIZING = "Initializing"
    INITIALIZED = "Initialized"
    INIT_FAILED = "InitFailed"

    @property
    def advice(self) -> str:
        """What it means, and what the reader can do."""
        return _ADVICE[self]


_ADVICE = {
    Reason.ACCEPTED: "The round refers to a known model and enough clinics.",
    Reason.MODEL_NOT_FOUND: "spec.modelRef names no FederatedModel of this namespace. Create it, or delete the round.",
    Reason.MODEL_NOT_READY: "The model has no first checkpoint yet. Look at the conditions of the FederatedModel.",
    Reason.MODEL_BUSY: "Another round of this model is running. This one starts when that one has ended.",
    Reason.TOO_FEW_CLINICS: "Fewer clinics match spec.clinics.selector than spec.clinics.minimum asks for.",
    Reason.WAITING_FOR_CLINICS: "Fewer clinics than the minimum are available. Look at `kubectl get clinics`.",
    Reason.START_DEADLINE_PASSED: "The round could not start within spec.deadlines.start.",
    Reason.SUSPENDED: "spec.suspend is true. Set it to false to go on.",
    Reason.CANCELLED: "spec.cancel was set. Nothing was promoted.",
    Reason.STARTED: "The participants and the checkpoint to start from are fixed.",
    Reason.TRAINING: "Clinics are training.",
    Reason.QUORUM_MET: "Enough clinics have submitted an update.",
    Reason.QUORUM_NOT_MET: "Fewer clinics than the minimum submitted an update. The message names the missing ones.",
    Reason.NEITHER_NOISED_NOR_MASKED: "The hub can read each clinic's update. Use data that may be used in this way.",
    Reason.AGGREGATING: "The aggregate Job is running.",
    Reason.VALIDATING: "The validate Job is running.",
    Reason.COMPLETED: "The step has been completed.",
    Reason.DEADLINE_PASSED: "A Job did not end within its deadline. Raise the deadline, or look for what held it up.",
    Reason.BASE_MOVED: "The model's current checkpoint is no longer the one that the round started from.",
    Reason.GATE_PASSED: "No more high-risk cases are lost than gained, and all guards hold.",
    Reason.WARM_UP_PASSED: "No version is released yet, and the candidate's AUROC is not below the incumbent's.",
    Reason.RELEASED: "The candidate meets the floors and is the first version that clinics may use.",
    Reason.WARM_UP_AUROC_LOWER: "No version is released yet, and the candidate's AUROC is below the incumbent's.",
    Reason.HIGH_RISK_CASES_LOST: "The candidate misses more high-risk cases that the incumbent caught than it gains.",
    Reason.SENSITIVITY_BELOW_FLOOR: "Sensitivity at the frozen threshold is below the floor of the gate.",
    Reason.SPECIFICITY_BELOW_FLOOR: "Specificity at the frozen threshold is below the floor of the gate.",
    Reason.AUROC_BELOW_FLOOR: "AUROC is below the floor of the gate.",
    Reason.SPECIFICITY_DROPPED: "Specificity dropped by more than the gate allows.",
    Reason.AUROC_DROPPED: "AUROC dropped by more than the gate allows.",
    Reason.BELOW_ANCHOR: "Sensitivity is too far below that of the best version so far.",
    Reason.BAD_JOB_INPUT: "The Job did not understand its input: operator and training image differ in version.",
    Reason.BAD_DATA: "The clinic's image folder or its table cannot be used. The Job's log in the clinic says why.",
    Reason.NO_RECENT_CASES: "The clinic has no case in the window of the round.",
    Reason.INTERNAL_ERROR: "A defect. The Job's log has the traceback.",
    Reason.STORE_UNAVAILABLE: "The object store or the gateway did not answer. The Job is made again.",
    Reason.STORE_REFUSED: "The object store or the gateway refused. URLs are signed anew and the Job repeated.",
    Reason.DIGEST_MISMATCH: "The bytes are not those that the round names.",
    Reason.NOT_SAFETENSORS: "The file is not in the safetensors format; nothing in it was run.",
    Reason.WRONG_SHAPE: "Names, shapes or types of the tensors are not those of the model.",
    Reason.NOT_FINITE: "A tensor holds NaN or infinity.",
    Reason.TEST_SET_CHANGED: "The test set is not the one that the model names by its digest.",
    Reason.TOO_LARGE: "The file is larger than the model can be.",
    Reason.JOB_KILLED: "The Job was killed, by a person, a restart or its memory limit. It is made again.",
    Reason.REPORT_MISSING: "The Job ended without the report that it owes.",
    Reason.LEASE_RENEWED: "The clinic's agent renews its Lease.",
    Reason.LEASE_EXPIRED: "The clinic's agent has not renewed its Lease in time: it is down, or its network is.",
    Reason.LEASE_MISSING: "The clinic has no Lease `agent` in its namespace: it is not enrolled completely.",
    Reason.POLICY_FORBIDS_UNPROTECTED: "The clinic's policy does not allow a round without noise (privacy.allowNone).",
    Reason.POLICY_UNREADABLE: "The clinic's policy file cannot be read, so nothing starts. The agent's log says why.",
    Reason.WORKING: "The clinic is working on its part.",
    Reason.SUBMITTED: "The clinic's update is in the object store.",
    Reason.ROUND_CLOSED: "The round went on without this clinic.",
    Reason.INITIALIZING: "The init Job is making the first checkpoint.",
    Reason.INITIALIZED: "The model has a current checkpoint.",
    Reason.INIT_FAILED: "The init Job failed. Its message says why.",
}
