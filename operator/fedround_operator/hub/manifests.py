"""The objects that the hub makes: Jobs and clinics' parts, as return values. Pure."""

from datetime import datetime

from fedround_api import API_VERSION, keys, names
from fedround_api.fields import ClosedPart
from fedround_api.jobs import (
    INITIAL_VARIABLE,
    STORE_VARIABLE,
    TEST_SET_VARIABLE,
    AggregateInput,
    Contribution,
    Incumbent,
    InitialFile,
    InitInput,
    ReleasedPoint,
    Role,
    RoundFacts,
    ValidateInput,
)
from fedround_api.kinds import FederatedModel, FederatedRound, ParticipantState, TransferUrls
from fedround_api.kinds.clinic_round import ClinicRoundSpec, ModelShape, RoundRef
from fedround_api.kinds.federated_model import InitialCheckpoint
from fedround_api.kinds.federated_round import Base, Candidate
from fedround_operator.hub.seen import StartedRound
from fedround_operator.hub.settings import HubSettings
from fedround_operator.kit.instants import parse
from fedround_operator.kit.jobmanifests import JobRequest, Mount, job
from fedround_operator.kit.resources import Object

# A first checkpoint is made in seconds; most of this is for pulling the image.
INIT_DEADLINE_SECONDS = 900


def model_shape(model: FederatedModel) -> ModelShape:
    """What a Job must know to build the model."""
    return ModelShape(
        name=model.metadata.name,
        architecture=model.spec.architecture,
        classes=model.spec.classes,
        high_risk_classes=model.spec.high_risk_classes,
        image_size=model.spec.image_size,
    )


def clinic_round(round_: FederatedRound, model: FederatedModel, base: Base, clinic: str, urls: TransferUrls) -> Object:
    """A clinic's part in a round that has started."""
    meta, status = round_.metadata, round_.status
    spec = ClinicRoundSpec(
        round=RoundRef(name=meta.name, namespace=meta.namespace, uid=meta.uid),
        clinic=clinic,
        model=model_shape(model),
        base=base,
        training=round_.spec.training,
        cases_until=status.started_at or "",
        deadline_at=status.training_deadline_at or "",
        urls=urls,
        suspended=round_.spec.suspend,
    )
    return {
        "apiVersion": API_VERSION,
        "kind": "ClinicRound",
        "metadata": {
            "name": names.clinic_round_name(meta.name, meta.uid),
            "namespace": names.clinic_namespace(clinic),
            "labels": {
                names.PART_OF: names.PART_OF_VALUE,
                names.ROUND_LABEL: meta.name,
                names.ROUND_NAMESPACE_LABEL: meta.namespace,
                names.ROUND_UID_LABEL: meta.uid,
            },
        },
        "spec": spec.dump(),
    }


def init_job(model: FederatedModel, attempt: int, settings: HubSettings) -> Object:
    """The Job that makes the model's first checkpoint."""
    initial = model.spec.initial_checkpoint
    given = InitInput(
        store=settings.store,
        model=model_shape(model),
        seed=model.spec.seed,
        initial=InitialFile(path=initial.path, digest=initial.sha256) if initial else None,
    )
    labels = {names.MODEL_UID_LABEL: model.metadata.uid, names.MODEL_LABEL: model.metadata.name}
    return job(
        JobRequest(
            name=names.job_name(model.metadata.name, Role.INIT, model.metadata.uid, attempt),
            namespace=model.metadata.namespace,
            role=Role.INIT,
            attempt=attempt,
            image=settings.image,
            input_json=given.text(),
            deadline_seconds=INIT_DEADLINE_SECONDS,
            labels=labels,
            mounts=(_store_mount(settings), *([_initial_mount(initial)] if initial else [])),
            owner=_owner("FederatedModel", model.metadata.name, model.metadata.uid),
            run_as=settings.run_as,
        )
    )


def aggregate_job(started: StartedRound, attempt: int, settings: HubSettings) -> Object:
    """The Job that makes the candidate from the submitted updates."""
    uid = started.round.metadata.uid
    given = AggregateInput(
        store=settings.store,
        base_key=keys.published_checkpoint(started.model.metadata.name, started.base.digest),
        base=started.base,
        contributions=_contributions(started.round),
        candidate_key=keys.candidate(uid),
        record_key=keys.aggregate_record(uid),
    )
    return _round_job(started, Role.AGGREGATE, attempt, given, settings)


def validate_job(started: StartedRound, candidate: Candidate, attempt: int, settings: HubSettings) -> Object:
    """The Job that judges the candidate."""
    model, uid = started.model, started.round.metadata.uid
    released = model.status.released
    given = ValidateInput(
        store=settings.store,
        model=model_shape(model),
        test_set_manifest=model.spec.test_set.manifest_sha256,
        test_set_prefix=model.spec.test_set.prefix,
        gate=model.spec.gate,
        candidate_key=keys.candidate(uid),
        candidate_digest=candidate.digest,
        incumbent=Incumbent(
            key=keys.published_checkpoint(model.metadata.name, started.base.digest), digest=started.base.digest
        ),
        released=ReleasedPoint(
            threshold=released.threshold,
            best_sensitivity=released.best_sensitivity,
            test_set_manifest=released.test_set_manifest,
        )
        if released
        else None,
        published_key=keys.published_checkpoint(model.metadata.name, candidate.digest),
        round=_facts(started),
        report_key=keys.report(uid),
        report_page_key=keys.report_page(uid),
    )
    return _round_job(started, Role.VALIDATE, attempt, given, settings)


def _facts(started: StartedRound) -> RoundFacts:
    meta, spec, status = started.round.metadata, started.round.spec, started.round.status
    return RoundFacts(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        started_at=status.started_at or "",
        training_closed_at=status.training_closed_at or "",
        base=started.base,
        participants=status.participants,
        training=spec.training,
        max_case_volume=spec.aggregation.max_case_volume,
        test_set_uses=started.model.status.evaluations + 1,
    )


def _contributions(round_: FederatedRound) -> list[Contribution]:
    cap = round_.spec.aggregation.max_case_volume
    return [
        Contribution(
            clinic=participant.name,
            key=keys.update(participant.name, round_.metadata.uid),
            digest=participant.update_digest,
            bytes=participant.update_bytes,
            weight=min(participant.case_volume, cap),
        )
        for participant in round_.status.participants
        if participant.state is ParticipantState.SUBMITTED
        and participant.update_digest is not None
        and participant.update_bytes is not None
    ]


def _round_job(started: StartedRound, role: Role, attempt: int, given: ClosedPart, settings: HubSettings) -> Object:
    meta, status = started.round.metadata, started.round.status
    aggregate = role is Role.AGGREGATE
    deadline = status.session_deadline_at if aggregate else status.validation_deadline_at
    mounts = (_store_mount(settings), *(() if aggregate else _test_set_mounts(started.model)))
    return job(
        JobRequest(
            name=names.job_name(meta.name, role, meta.uid, attempt),
            namespace=meta.namespace,
            role=role,
            attempt=attempt,
            image=settings.image,
            input_json=given.text(),
            deadline_seconds=_seconds_until(deadline, started.now),
            labels={names.ROUND_LABEL: meta.name, names.ROUND_UID_LABEL: meta.uid},
            mounts=mounts,
            owner=_owner("FederatedRound", meta.name, meta.uid),
            run_as=settings.run_as,
        )
    )


def _test_set_mounts(model: FederatedModel) -> tuple[Mount, ...]:
    """The volume with the test set; none where it lies in the store."""
    if model.spec.test_set.claim_name is None:
        return ()
    claim = {"claimName": model.spec.test_set.claim_name, "readOnly": True}
    return (Mount("test-set", "/test-set", {"persistentVolumeClaim": claim}, TEST_SET_VARIABLE),)


def _initial_mount(initial: InitialCheckpoint) -> Mount:
    claim = {"claimName": initial.claim_name, "readOnly": True}
    return Mount("initial", "/initial", {"persistentVolumeClaim": claim}, INITIAL_VARIABLE)


def _owner(kind: str, name: str, uid: str) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _store_mount(settings: HubSettings) -> Mount:
    return Mount(
        name="store", path="/store", source={"secret": {"secretName": settings.store_secret}}, variable=STORE_VARIABLE
    )


def _seconds_until(deadline: str | None, now: datetime) -> int:
    return int((parse(deadline) - now).total_seconds()) if deadline else 0
