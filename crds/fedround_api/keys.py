"""Where things lie in the object store. All keys are made here, so that reader and writer cannot disagree.

published/ is readable by every clinic, clinics/<clinic>/ is writable by that clinic. rounds/ is the hub's own, and so
is test-sets/, where an administrator may put the test set that a model names.
"""

CHECKPOINT_SUFFIX = ".safetensors"


def published_checkpoint(model: str, digest: str) -> str:
    """A checkpoint that clinics may read, named by its content."""
    return f"published/{model}/{digest}{CHECKPOINT_SUFFIX}"


def update(clinic: str, round_uid: str, session: str = "plain") -> str:
    """What a clinic submits for one aggregation session of a round."""
    return f"clinics/{clinic}/{round_uid}/{session}/update{CHECKPOINT_SUFFIX}"


def candidate(round_uid: str) -> str:
    """The aggregated checkpoint of a round, before the gate has judged it."""
    return f"rounds/{round_uid}/candidate{CHECKPOINT_SUFFIX}"


def aggregate_record(round_uid: str) -> str:
    """What was summed: clinics, weights and digests."""
    return f"rounds/{round_uid}/aggregate.json"


def report(round_uid: str) -> str:
    """The report of a round as JSON."""
    return f"rounds/{round_uid}/report.json"


def report_page(round_uid: str) -> str:
    """The report of a round as one self-contained page."""
    return f"rounds/{round_uid}/report.html"
