"""The charts rendered: with every sort of values, by Helm 3 and 4, and refused with a path where a value is wrong."""

import base64
import re
from pathlib import Path

import pytest

from fedround_operator.enrolment.bundle import Bundle
from support.charts import (
    BUNDLE,
    CHARTS,
    CLINIC,
    HUB,
    VARIANTS,
    Refused,
    environment,
    example,
    of_kind,
    rendered,
    run_helm,
    template,
)

MAJORS = (3, 4)
FIRST = {HUB: VARIANTS[HUB, "trial"], CLINIC: VARIANTS[CLINIC, "bundle"]}


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize(("chart", "variant"), VARIANTS)
def test_helm_finds_nothing_to_say(chart: str, variant: str, major: int) -> None:
    place = (str(CHARTS / chart), example(chart))
    said = run_helm(major, "lint", "--strict", "--quiet", *place, values=VARIANTS[chart, variant])

    assert "WARNING" not in said
    assert "ERROR" not in said


@pytest.mark.parametrize(("chart", "variant"), VARIANTS)
def test_helm_3_and_4_make_the_same_objects(chart: str, variant: str) -> None:
    by_three, by_four = rendered(chart, variant, 3), rendered(chart, variant, 4)
    for one in (*by_three, *by_four):
        if one["kind"] == "Secret" and one["metadata"]["name"] == "fedround-store":
            del one["data"]  # random keys

    def order(one: dict[str, object]) -> str:
        return str((one["kind"], one["metadata"]))

    assert sorted(by_three, key=order) == sorted(by_four, key=order)


@pytest.mark.parametrize(("chart", "variant"), VARIANTS)
def test_every_object_says_where_it_belongs(chart: str, variant: str) -> None:
    for one in rendered(chart, variant):
        labels = one["metadata"].get("labels", {})
        assert labels.get("app.kubernetes.io/part-of") == "fedround", one["metadata"]["name"]


def test_two_namespaces_get_the_same_keys_of_the_trial_store() -> None:
    secrets = [one for one in rendered(HUB, "trial") if one["kind"] == "Secret"]

    assert [one["metadata"]["namespace"] for one in secrets] == ["fedround-system", "skin-network"]
    assert secrets[0]["data"] == secrets[1]["data"]
    assert set(secrets[0]["data"]) == {"access-key", "secret-key"}


def test_a_store_of_its_own_brings_no_minio_and_no_keys() -> None:
    made = {(one["kind"], one["metadata"]["name"]) for one in rendered(HUB, "every part")}

    assert not {name for kind, name in made if "minio" in name or kind == "Secret"}


WRONG = [
    (HUB, "gateway.address=fedround.example.org", "gateway.*address"),
    (HUB, "gateway.colour=red", "gateway"),
    (HUB, "gateway.certificate.existingSecret=", "certificate.*existingSecret"),
    (HUB, "gateway.service.type=ExternalName", "service.*type"),
    (HUB, "gateway.replicas=many", "gateway.*replicas"),
    (HUB, "operator.resources.limits=null", "operator.*resources"),
    (HUB, "store.bucket=UPPER", "store.*bucket"),
    (HUB, "testSet.prefix=test-sets/ontario", "testSet.*manifestSha256"),
    (HUB, "testSet.manifestSha256=beef", "testSet.*manifestSha256"),
    (HUB, "testSet.prefix=clinics/ottawa", "testSet.*prefix"),
    (HUB, "image.operator.digest=md5:1", "image.*operator.*digest"),
    (HUB, "networkPolicy.gatewayFrom={everybody}", "networkPolicy.*gatewayFrom"),
    (CLINIC, "clinic.name=Ottawa General", "clinic.*name"),
    (CLINIC, "hub.gateway=https://fedround.example.org", "hub.*gateway"),
    (CLINIC, "policy.caseVolume=0", "policy.*caseVolume"),
    (CLINIC, "policy.caseVolume=null", "policy"),
    (CLINIC, "policy.privacy.epsilonn=8", "policy.*privacy"),
    (CLINIC, "images.existingClaim=", "images.*existingClaim"),
    (CLINIC, "workspace.size=much", "workspace.*size"),
    (CLINIC, "hostNetwork=true", "hostNetwork"),
    (HUB, "podSecurity.runAsUser=0", "podSecurity.*runAsUser"),
    (CLINIC, "podSecurity.fsGroup=nobody", "podSecurity.*fsGroup"),
    (CLINIC, "networkPolicy.dnsPorts=null", "networkPolicy"),
]


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize(("chart", "setting", "place"), WRONG)
def test_a_wrong_value_is_refused_with_its_path(chart: str, setting: str, place: str, major: int) -> None:
    with pytest.raises(Refused, match=f"(?s)specifications of the schema.*{place}"):
        template(chart, f"--set={setting}", values=FIRST[chart], major=major)


MISSING = [
    (HUB, "gateway.federationCA.existingConfigMap=", "gateway.federationCA: name the ConfigMap"),
    (HUB, "minio.enabled=false", "store.endpoint: give host:port of an S3 server"),
    (HUB, "store.endpoint=s3.example.org:443", "store.existingSecret: name the Secret"),
    (CLINIC, "hub.token=", "hub.token: give the administrator's bundle"),
    (CLINIC, "hub.ca=", "hub.ca: give the administrator's bundle"),
]


@pytest.mark.parametrize(("chart", "setting", "sentence"), MISSING)
def test_what_is_missing_is_said_in_a_sentence(chart: str, setting: str, sentence: str) -> None:
    with pytest.raises(Refused, match=re.escape(sentence)):
        template(chart, f"--set={setting}", values=FIRST[chart])


@pytest.mark.parametrize("chart", [HUB, CLINIC])
def test_an_older_kubernetes_is_refused(chart: str) -> None:
    with pytest.raises(Refused, match=r"requires kubeVersion: >=1\.31\.0-0"):
        template(chart, "--kube-version=1.30.9", values=FIRST[chart])


def test_the_examples_need_nothing_but_the_bundle() -> None:
    assert template(HUB, values={})
    assert template(CLINIC, values=BUNDLE)
    with pytest.raises(Refused, match=r"(?s)clinic.*name"):
        template(CLINIC, values={})


def test_the_bundle_of_the_administrator_is_a_file_of_values(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    bundle = Bundle("kingston", "fedround.example.org:443", ca=pem, certificate=pem, token="a-token")
    (tmp_path / "bundle.yaml").write_text(bundle.text())

    objects = template(CLINIC, f"--values={tmp_path / 'bundle.yaml'}", values={})

    (membership,) = of_kind(objects, "Secret", "fedround-membership")
    found = {name: base64.b64decode(value).decode() for name, value in membership["data"].items()}
    assert found == {"ca.crt": pem, "tls.crt": pem, "token": "a-token"}
    (agent,) = of_kind(objects, "Deployment")
    variables = environment(agent["spec"]["template"]["spec"]["containers"][0])
    assert (variables["FEDROUND_CLINIC"], variables["FEDROUND_GATEWAY"]) == ("kingston", "fedround.example.org:443")
