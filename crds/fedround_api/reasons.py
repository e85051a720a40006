"""Every reason that a condition can give, with one sentence that says what it means and one that says what to do.

Conditions, events, the command line and the documentation use these words and no others.
"""

from collections.abc import Mapping
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
    LOCKED_IN = "LockedIn"
    NOT_LOCKED_IN = "NotLockedIn"
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
    CERTIFICATE_VALID = "CertificateValid"
    CERTIFICATE_EXPIRES_SOON = "CertificateExpiresSoon"
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CERTIFICATE_REVOKED = "CertificateRevoked"
    CERTIFICATE_MISSING = "CertificateMissing"
    RENEWAL_REQUESTED = "RenewalRequested"
    NO_RENEWAL_REQUESTED = "NoRenewalRequested"
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
    def meaning(self) -> str:
        """What it means, in one sentence."""
        return _TEXTS[self][0]

    @property
    def action(self) -> str:
        """What the reader can do; empty where all goes as it should."""
        return _TEXTS[self][1]

    @property
    def advice(self) -> str:
        """What it means, and what the reader can do: a condition's message where nothing more exact is known."""
        return f"{self.meaning} {self.action}".rstrip()


#: By the stage at which they are given, in the order of a round: (what it means, what to do).
GROUPS: Mapping[str, Mapping[Reason, tuple[str, str]]] = {
    "Accepting and starting a round": {
        Reason.ACCEPTED: ("The round refers to a known model and enough clinics.", ""),
        Reason.MODEL_NOT_FOUND: (
            "spec.modelRef names no FederatedModel of this namespace.",
            "Create the model, or delete the round and make one with the right name.",
        ),
        Reason.MODEL_NOT_READY: (
            "The model has no first checkpoint yet.",
            "Look at `kubectl describe federatedmodel`: its condition Ready says what is missing.",
        ),
        Reason.MODEL_BUSY: (
            "Another round of this model is running; this one starts when that one has ended.",
            "Wait, or set spec.cancel of the other round.",
        ),
        Reason.TOO_FEW_CLINICS: (
            "Fewer clinics match spec.clinics.selector than spec.clinics.minimum asks for.",
            "Make a round with a wider selector or a lower minimum, or enrol more clinics.",
        ),
        Reason.WAITING_FOR_CLINICS: (
            "Fewer clinics than the minimum are available.",
            "Look at `kubectl get clinics` and start the agents of those that are not available.",
        ),
        Reason.START_DEADLINE_PASSED: (
            "The round could not start within spec.deadlines.start.",
            "Mend what it waited for, then make a new round, if need be with a longer deadline.",
        ),
        Reason.SUSPENDED: ("spec.suspend is true.", "Set it to false to go on."),
        Reason.CANCELLED: (
            "spec.cancel was set, and nothing was promoted.",
            "Make a new round when the cause is gone; a cancelled one does not go on.",
        ),
    },
    "Training": {
        Reason.STARTED: ("The participants and the checkpoint to start from are fixed.", ""),
        Reason.TRAINING: ("Clinics are training.", ""),
        Reason.QUORUM_MET: ("Enough clinics have submitted an update.", ""),
        Reason.QUORUM_NOT_MET: (
            "Fewer clinics than the minimum submitted an update; the message names the missing ones.",
            "Look at `kubectl get clinicrounds -A` for their reasons, then make a new round.",
        ),
        Reason.NEITHER_NOISED_NOR_MASKED: (
            "The hub can read each clinic's update.",
            "Use data that may be used in this way: public or synthetic images.",
        ),
        Reason.LOCKED_IN: (
            "Each trainer had given up the network, and all files but its own, before it opened an image.",
            "",
        ),
        Reason.NOT_LOCKED_IN: (
            "A trainer could not give up the network, or files that are not its own, before opening an image.",
            "Use nodes with Linux 5.13 or later and Landlock, or have the clinic set training.allowUnlocked.",
        ),
    },
    "Aggregating, validating, promoting": {
        Reason.AGGREGATING: ("The aggregate Job is running.", ""),
        Reason.VALIDATING: ("The validate Job is running.", ""),
        Reason.COMPLETED: ("The step has been completed.", ""),
        Reason.DEADLINE_PASSED: (
            "A Job did not end within its deadline.",
            "Look for what held it up (`kubectl describe job`), or raise the deadline in a new round.",
        ),
        Reason.BASE_MOVED: (
            "The model's current checkpoint is no longer the one that the round started from.",
            "Make a new round, which starts from the current checkpoint.",
        ),
    },
    "Verdicts of the gate": {
        Reason.GATE_PASSED: ("No more high-risk cases are lost than gained, and all guards hold.", ""),
        Reason.WARM_UP_PASSED: (
            "No version is released yet, and the candidate's AUROC is not below the incumbent's.",
            "",
        ),
        Reason.RELEASED: ("The candidate meets the floors and is the first version that clinics may use.", ""),
        Reason.WARM_UP_AUROC_LOWER: (
            "No version is released yet, and the candidate's AUROC is below the incumbent's.",
            "Look for a clinic with wrong labels, or train with a lower learning rate or more cases.",
        ),
        Reason.HIGH_RISK_CASES_LOST: (
            "The candidate misses more high-risk cases that the incumbent caught than it gains.",
            "Look in the round's report for the lost cases, then at the labels and weights of the participants.",
        ),
        Reason.SENSITIVITY_BELOW_FLOOR: (
            "Sensitivity at the frozen threshold is below the floor of the gate.",
            "Train with more high-risk cases; lower gate.floors.sensitivity only if a clinician agrees.",
        ),
        Reason.SPECIFICITY_BELOW_FLOOR: (
            "Specificity at the frozen threshold is below the floor of the gate.",
            "Train with more benign cases; lower gate.floors.specificity only if a clinician agrees.",
        ),
        Reason.AUROC_BELOW_FLOOR: (
            "AUROC is below the floor of the gate.",
            "Train with more cases or more epochs, and look for a clinic with wrong labels.",
        ),
        Reason.SPECIFICITY_DROPPED: (
            "Specificity dropped by more than gate.maxDrop.specificity allows.",
            "Look in the round's report for benign cases that are now flagged, and at the case mix of the clinics.",
        ),
        Reason.AUROC_DROPPED: (
            "AUROC dropped by more than gate.maxDrop.auroc allows.",
            "Look for a clinic with wrong labels, or train with a lower learning rate.",
        ),
        Reason.BELOW_ANCHOR: (
            "Sensitivity is too far below that of the best version so far.",
            "Look at the model's history for when it began to sink, and at what changed in the clinics then.",
        ),
    },
    "How a Job ended": {
        Reason.BAD_JOB_INPUT: (
            "The Job cannot use its input, or a file that its input names is not there.",
            "Look at the message for a missing file; else install the same version of fedround at hub and clinic.",
        ),
        Reason.BAD_DATA: (
            "The images, their table or the test set cannot be used.",
            "Look at the Job's log, in the clinic for a train Job: it names the file and what is wrong with it.",
        ),
        Reason.NO_RECENT_CASES: (
            "The clinic has no case in the window of the round.",
            "Look at the dates in the clinic's table, or raise spec.training.cases.windowDays in a new round.",
        ),
        Reason.INTERNAL_ERROR: (
            "A defect in the program.",
            "Look at the Job's log for the traceback, and report it.",
        ),
        Reason.STORE_UNAVAILABLE: (
            "The object store or the gateway did not answer; the Job is made again.",
            "Wait; if it goes on, look whether both run and whether the clinic's network lets it out.",
        ),
        Reason.STORE_REFUSED: (
            "The object store or the gateway refused; URLs are signed anew and the Job repeated.",
            "Wait; if it goes on, look at the clinic's certificate, the hub's keys and the clocks of both.",
        ),
        Reason.DIGEST_MISMATCH: (
            "The bytes are not those that the round, or the model, names.",
            "Make a new round, or a model with the right digest; if it comes back, look for a disk or proxy at fault.",
        ),
        Reason.NOT_SAFETENSORS: (
            "The file is not in the safetensors format; nothing in it was run.",
            "Find out who wrote the file; give checkpoints as safetensors only.",
        ),
        Reason.WRONG_SHAPE: (
            "Names, shapes or types of the tensors are not those of the model.",
            "Install the same version of fedround at the hub and in the clinic, and check the model's architecture.",
        ),
        Reason.NOT_FINITE: (
            "A tensor holds NaN or infinity.",
            "Train with a lower learning rate; a checkpoint of your own may be broken: make it anew.",
        ),
        Reason.TEST_SET_CHANGED: (
            "The test set is not the one that the model names by its digest.",
            "Restore the test set, or make a new model that names the changed one.",
        ),
        Reason.TOO_LARGE: (
            "The file is larger than the model can be.",
            "Install the same version of fedround at the hub and in the clinic; refuse the clinic if it stays so.",
        ),
        Reason.JOB_KILLED: (
            "The Job was killed, by a person, a restart or its memory limit; it is made again.",
            "Wait; if it goes on, give the Job or the machine more memory.",
        ),
        Reason.REPORT_MISSING: (
            "The Job ended without the report that it owes.",
            "Look at the Job's log, and install the same version of fedround at the hub and in the clinic.",
        ),
    },
    "Clinics and their part in a round": {
        Reason.LEASE_RENEWED: ("The clinic's agent renews its Lease.", ""),
        Reason.LEASE_EXPIRED: (
            "The clinic's agent has not renewed its Lease in time: it is down, or its network is.",
            "Start the agent, and look whether the clinic's network lets it out to the gateway.",
        ),
        Reason.LEASE_MISSING: (
            "The clinic has no Lease `agent` in its namespace on the hub: it is not enrolled completely.",
            "Start the clinic's agent; if it runs, look at its log and its certificate.",
        ),
        Reason.CERTIFICATE_VALID: ("The clinic's certificate can be used.", ""),
        Reason.CERTIFICATE_EXPIRES_SOON: (
            "The clinic's certificate ends soon.",
            "Approve what waits (`fedround clinic approve --renewals`); if nothing does, look at the agent's log.",
        ),
        Reason.CERTIFICATE_EXPIRED: (
            "The clinic's certificate has ended, so the gateway lets it in no more.",
            "Approve another request of the clinic (`fedround clinic request`): its key stays the same.",
        ),
        Reason.CERTIFICATE_REVOKED: (
            "The clinic was revoked: the gateway refuses its certificates, and it takes part in nothing.",
            "Approve a request with a new key (`fedround clinic request --new-key`) to take it in again.",
        ),
        Reason.CERTIFICATE_MISSING: (
            "No certificate of the clinic is on record here.",
            "Approve a request of the clinic, so that its certificate can be watched, renewed and revoked.",
        ),
        Reason.RENEWAL_REQUESTED: (
            "The clinic's agent asks for its next certificate.",
            "Approve it (`fedround clinic approve --renewals`) before the present one ends.",
        ),
        Reason.NO_RENEWAL_REQUESTED: ("The clinic's agent asks for nothing.", ""),
        Reason.POLICY_FORBIDS_UNPROTECTED: (
            "The clinic's policy does not allow a round without noise.",
            "Leave the clinic out, or have it set privacy.allowNone in its policy if its data may be used so.",
        ),
        Reason.POLICY_UNREADABLE: (
            "The clinic's policy file cannot be read, so nothing starts.",
            "Look at the agent's log, which names the field, and mend the policy file.",
        ),
        Reason.WORKING: ("The clinic is working on its part.", ""),
        Reason.SUBMITTED: ("The clinic's update is in the object store.", ""),
        Reason.ROUND_CLOSED: (
            "The round went on without this clinic.",
            "Raise spec.deadlines.training in the next round if the clinic needs longer.",
        ),
    },
    "Models": {
        Reason.INITIALIZING: ("The init Job is making the first checkpoint.", ""),
        Reason.INITIALIZED: ("The model has a current checkpoint.", ""),
        Reason.INIT_FAILED: (
            "The init Job failed; its message says why.",
            "Mend the cause, then delete the model and create it again.",
        ),
    },
}

_TEXTS = {reason: texts for group in GROUPS.values() for reason, texts in group.items()}
