"""What the hub makes: Jobs and clinics' parts as golden files, presigned URLs, Events."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fedround_api.jobs import AggregateInput, InitInput, ValidateInput
from fedround_api.kinds import FederatedModel, FederatedRound, RoundPhase, TransferUrls
from fedround_api.kinds.federated_round import Base, Candidate
from fedround_operator.hub.events import transition_event
from fedround_operator.hub.manifests import aggregate_job, clinic_round, init_job, validate_job
from fedround_operator.hub.seen import StartedRound
from fedround_operator.hub.signing import StoreKeys, UrlSigner, read_keys
from fedround_operator.kit.instants import parse
from fedround_operator.kit.jobmanifests import RunAs
from fedround_operator.kit.resources import Object
from support.builders import BASE_DIGEST
from support.golden import assert_golden
from support.hub_builders import (
    CANDIDATE_DIGEST,
    NOON,
    ROUND_UID,
    SETTINGS,
    RoundBuilder,
    make_round,
    model_object,
    released,
)
from support.job_player import input_of

GOLDEN = Path(__file__).parent / "golden"
CANDIDATE = Candidate(digest=CANDIDATE_DIGEST, bytes=770_000)
URLS = TransferUrls(
    checkpoint="https://gateway:8443/fed/published/x",
    update="https://gateway:8443/fed/clinics/north/x",
    signed_at="2026-11-24T12:00:00Z",
    expires_at="2026-11-24T13:00:00Z",
)
MODEL = FederatedModel.model_validate(model_object())
OWN = {"claimName": "checkpoints", "path": "2025/own.safetensors", "sha256": "0e0e" * 16}


def started(built: RoundBuilder) -> StartedRound:
    seen = built.seen()
    assert seen.model is not None
    assert seen.round.status.base is not None
    return StartedRound(seen.round, seen.model, seen.round.status.base, seen.now)


def judged_on(test_set: Object) -> FederatedModel:
    """A model whose test set lies elsewhere."""
    model = model_object()
    return FederatedModel.model_validate({**model, "spec": {**model["spec"], "testSet": test_set}})


def starting_from(initial: Object) -> FederatedModel:
    """A model with a first checkpoint of its own."""
    model = model_object(current=False)
    return FederatedModel.model_validate({**model, "spec": {**model["spec"], "initialCheckpoint": initial}})


def part() -> Object:
    built = make_round(clinics=1, minimum=1, training={"epochs": 4, "seed": 7}).training()
    base = Base(version=3, digest=BASE_DIGEST, bytes=770_000)
    return clinic_round(built.seen().round, MODEL, base, "north", URLS)


def capped() -> RoundBuilder:
    """Three clinics, of which one failed after it had submitted and one has more cases than may count."""
    built = make_round(aggregation={"maxCaseVolume": 1500}).aggregating()
    participants = built.round["status"]["participants"]
    participants[0]["caseVolume"] = 1600
    participants[1] |= {"state": "Failed", "reason": "TooLarge"}
    return built


MANIFESTS: dict[str, Any] = {
    "init": lambda: init_job(MODEL, 1, SETTINGS),
    "init_from_a_file": lambda: init_job(starting_from(OWN), 1, SETTINGS),
    "aggregate": lambda: aggregate_job(started(capped()), 2, SETTINGS),
    "validate": lambda: validate_job(
        started(make_round().validating().model_status(released=released())), CANDIDATE, 1, SETTINGS
    ),
    "clinic_round": part,
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_what_is_made_is_what_the_golden_file_says(name: str) -> None:
    assert_golden(GOLDEN / f"{name}.json", MANIFESTS[name]())


def test_a_job_of_the_hub_runs_as_whom_the_settings_name() -> None:
    settings = replace(SETTINGS, run_as=RunAs(1_000_650_000, None, 2001))

    for made in (init_job(MODEL, 1, settings), aggregate_job(started(capped()), 2, settings)):
        security = made["spec"]["template"]["spec"]["securityContext"]
        assert (security["runAsUser"], security["fsGroup"]) == (1_000_650_000, 2001)
        assert "runAsGroup" not in security


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("init", InitInput),
        ("init_from_a_file", InitInput),
        ("aggregate", AggregateInput),
        ("validate", ValidateInput),
    ],
)
def test_a_jobs_input_is_understood_by_the_job(name: str, kind: Any) -> None:
    kind.model_validate_json(json.dumps(input_of(MANIFESTS[name]())))


def test_the_weight_of_a_clinic_is_its_capped_volume_and_a_failed_clinic_has_none() -> None:
    contributions = input_of(MANIFESTS["aggregate"]())["contributions"]

    assert [(one["clinic"], one["weight"]) for one in contributions] == [("east", 1500), ("south", 1000)]
    assert contributions[0]["key"] == f"clinics/east/{ROUND_UID}/plain/update.safetensors"


def test_the_aggregation_sees_no_test_set_and_no_job_of_the_hub_a_clinics_urls() -> None:
    assert "test-set" not in json.dumps(MANIFESTS["aggregate"]())
    assert all("https://" not in json.dumps(MANIFESTS[name]()) for name in ("init", "aggregate", "validate"))


def test_before_a_release_no_operating_point_is_given() -> None:
    assert "released" not in input_of(validate_job(started(make_round().validating()), CANDIDATE, 1, SETTINGS))


@pytest.mark.parametrize(("minutes", "seconds"), [(0, 900), (10, 300), (14.999, 1), (60, 1)])
def test_a_job_may_take_no_longer_than_its_stage(minutes: float, seconds: int) -> None:
    made = aggregate_job(started(make_round().aggregating().at(minutes=minutes)), 1, SETTINGS)

    assert abs(made["spec"]["activeDeadlineSeconds"] - seconds) <= 1


def test_a_jobs_owner_is_its_round() -> None:
    (owner,) = MANIFESTS["aggregate"]()["metadata"]["ownerReferences"]

    assert (owner["kind"], owner["uid"], owner["controller"]) == ("FederatedRound", ROUND_UID, True)


SIGNER = UrlSigner("gateway.example:8443", "fed", "eu-1", StoreKeys("access", "very-secret"), 3600)


def signed() -> TransferUrls:
    return SIGNER.sign("skin-lesion", BASE_DIGEST, "north", ROUND_UID, NOON)


@pytest.mark.parametrize(
    ("which", "path"),
    [
        ("checkpoint", f"/fed/published/skin-lesion/{BASE_DIGEST}.safetensors"),
        ("update", f"/fed/clinics/north/{ROUND_UID}/plain/update.safetensors"),
    ],
)
def test_a_url_is_for_the_gateway_and_for_exactly_one_object(which: str, path: str) -> None:
    url = urlsplit(getattr(signed(), which))
    query = parse_qs(url.query)

    assert (url.scheme, url.netloc, url.path) == ("https", "gateway.example:8443", path)
    assert query["X-Amz-Expires"] == ["3600"]
    assert query["X-Amz-Date"] == ["20261124T120000Z"]
    assert query["X-Amz-Credential"] == ["access/20261124/eu-1/s3/aws4_request"]
    assert query["X-Amz-SignedHeaders"] == ["host"]
    assert "very-secret" not in url.query


def test_the_life_of_urls_is_told_with_them() -> None:
    assert (signed().signed_at, signed().expires_at) == ("2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z")


def test_signing_is_arithmetic() -> None:
    """No store is asked (there is none at this address), and the same request is signed the same."""
    assert signed() == signed()


def signature_v4(method: str, url: str, secret: str) -> str:
    """The signature of a presigned URL, as "Authenticating Requests: Using Query Parameters" of AWS has it."""
    parts = urlsplit(url)
    query = parts.query.rsplit("&X-Amz-Signature=", 1)[0]
    canonical = "\n".join([method, parts.path, query, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"])
    scope = "20261124/eu-1/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for text in (*scope.split("/"), f"AWS4-HMAC-SHA256\n20261124T120000Z\n{scope}\n{digest}"):
        key = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return key.hex()


@pytest.mark.parametrize(("which", "method"), [("checkpoint", "GET"), ("update", "PUT")])
def test_a_url_is_signed_for_one_method(which: str, method: str) -> None:
    url = getattr(signed(), which)

    assert parse_qs(urlsplit(url).query)["X-Amz-Signature"] == [signature_v4(method, url, "very-secret")]


@pytest.mark.parametrize(
    ("host", "signed_for"),
    [("s3.eu-1.amazonaws.com", "s3.eu-1.amazonaws.com"), ("s3.example.org:443", "s3.example.org")],
)
def test_a_store_that_insists_on_its_own_name_is_signed_for_and_reached_through_the_gateway(
    host: str, signed_for: str
) -> None:
    keys = StoreKeys("access", "very-secret")
    signer = UrlSigner("gateway.example:8443", "fed", "eu-1", keys, 3600, store_host=host)
    urls = signer.sign("skin-lesion", BASE_DIGEST, "north", ROUND_UID, NOON)

    for method, url in (("GET", urls.checkpoint), ("PUT", urls.update)):
        parts = urlsplit(url)
        assert parts.netloc == "gateway.example:8443"
        assert parts.path.startswith("/fed/")
        as_the_store_sees_it = parts._replace(netloc=signed_for).geturl()
        found = parse_qs(parts.query)["X-Amz-Signature"]
        assert found == [signature_v4(method, as_the_store_sees_it, "very-secret")]


@pytest.mark.parametrize("host", ["", "s3.eu-1.amazonaws.com"])
def test_the_same_keys_sign_the_same_urls_for_the_same_second_and_other_keys_others(host: str) -> None:
    def urls(keys: StoreKeys, now: datetime) -> TransferUrls:
        signer = UrlSigner("gateway.example:8443", "fed", "eu-1", keys, 3600, store_host=host)
        return signer.sign("skin-lesion", BASE_DIGEST, "north", ROUND_UID, now)

    first = urls(StoreKeys("access", "very-secret"), NOON + timedelta(milliseconds=700))

    assert urls(StoreKeys("access", "very-secret"), parse(first.signed_at)) == first
    assert urls(StoreKeys("access", "another-secret"), parse(first.signed_at)) != first
    assert urls(StoreKeys("another", "very-secret"), parse(first.signed_at)) != first


def test_keys_are_read_from_a_mounted_secret(tmp_path: Path) -> None:
    (tmp_path / "access-key").write_text("access\n")
    (tmp_path / "secret-key").write_text("very-secret\n")

    assert read_keys(tmp_path) == StoreKeys("access", "very-secret")


def test_a_test_set_in_the_store_is_named_to_the_job_and_mounts_nothing() -> None:
    built = started(make_round().validating())
    model = judged_on({"prefix": "test-sets/ontario", "manifestSha256": "7e57" * 16})

    made = validate_job(StartedRound(built.round, model, built.base, built.now), CANDIDATE, 1, SETTINGS)

    given = input_of(made)
    assert (given["testSetPrefix"], given["testSetManifest"]) == ("test-sets/ontario", "7e57" * 16)
    pod = made["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["scratch", "store"]
    assert "FEDROUND_TEST_SET" not in {one["name"] for one in pod["containers"][0]["env"]}


def event(phase: RoundPhase | None, before: str | None = None, message: str = "m") -> Object | None:
    built = make_round().training()
    built.round["status"]["conditions"][1]["message"] = message
    built.status(**({"phase": before} if before else {}))
    round_ = FederatedRound.model_validate(built.round)
    return transition_event(round_, round_.status.model_copy(update={"phase": phase}), NOON)


def test_a_change_of_phase_is_an_event_about_the_round() -> None:
    made = event(RoundPhase.TRAINING, before="Pending")

    assert made is not None
    assert made["metadata"] == {"name": "skin-2026-w48.5a6b7c8d.training.1", "namespace": "skin-network"}
    assert (made["type"], made["reason"], made["message"]) == ("Normal", "Training", "Training: m")
    assert made["involvedObject"]["uid"] == ROUND_UID


@pytest.mark.parametrize(("phase", "type_"), [(RoundPhase.FAILED, "Warning"), (RoundPhase.ROLLED_BACK, "Warning")])
def test_a_bad_end_is_a_warning(phase: RoundPhase, type_: str) -> None:
    made = event(phase)

    assert made is not None
    assert made["type"] == type_


def test_no_change_of_phase_is_no_event() -> None:
    assert event(RoundPhase.TRAINING, before="Training") is None
    assert event(None) is None


def test_the_message_of_an_event_is_cut_to_what_the_server_takes() -> None:
    made = event(RoundPhase.TRAINING, message="m" * 1024)

    assert made is not None
    assert len(made["message"]) <= 1024


def test_an_expired_life_is_a_question_of_time_only() -> None:
    later = SIGNER.sign("skin-lesion", BASE_DIGEST, "north", ROUND_UID, NOON + timedelta(hours=2))

    assert later.signed_at == "2026-11-24T14:00:00Z"
    assert later.update != signed().update
