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
    pods,
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
    (CLINIC, "networkPolicy.gateway=null", "networkPolicy"),
    (CLINIC, "monitoring=null", "monitoring"),
    (CLINIC, "hub.gateway=fedround.example.org:65536", "hub.*gateway"),
    (CLINIC, "hub.gateway=[2001:db8::1]:443", "hub.*gateway"),
    (CLINIC, "fullnameOverride=7north", "fullnameOverride"),
    (HUB, "gateway.largestUploadBytes=null", "gateway"),
    (HUB, "gateway.service.port=null", "gateway.*service"),
    (HUB, "gateway.address=fedround.example.org:0", "gateway.*address"),
    (HUB, "gateway.api=https://kubernetes.default.svc:70000", "gateway.*api"),
    (HUB, "store.https=null", "store"),
    (HUB, "store.endpoint=s3.example.org:99999", "store.*endpoint"),
    (HUB, "image.gateway.tag=null", "image.*gateway"),
    (HUB, "image.minio.tag=", "image.*minio"),
    (HUB, "operator.resources.requests.cpu=null", "operator.*requests"),
    (HUB, "networkPolicy=null", "networkPolicy"),
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


def test_images_of_others_have_no_version_of_ours() -> None:
    with pytest.raises(Refused, match=r"(?s)specifications of the schema.*image.*gateway"):
        template(HUB, values={"image": {"gateway": {"tag": ""}}})
    pinned = template(HUB, values={"image": {"gateway": {"tag": "", "digest": "sha256:" + "0a" * 32}}})

    images = [one["image"] for pod in pods(pinned) for one in pod.containers if one["name"] == "gateway"]
    assert images == ["docker.io/library/caddy@sha256:" + "0a" * 32]


STORES = [
    ("s3.local", False, 80),
    ("s3.local", True, 443),
    ("s3.local:9000", False, 9000),
    ("s3.local:9000", True, 9000),
]


@pytest.mark.parametrize(("endpoint", "https", "port"), STORES)
def test_the_policies_let_through_to_the_port_that_the_store_is_asked_at(endpoint: str, https: bool, port: int) -> None:
    objects = template(
        HUB,
        values={
            "store": {"endpoint": endpoint, "https": https, "existingSecret": "keys"},
            "networkPolicy": {"apiServer": {"ports": [6443]}},
        },
    )

    for name in ("gateway", "test", "jobs"):
        (policy,) = of_kind(objects, "NetworkPolicy", f"fedround-{name}")
        ports = {one["port"] for rule in policy["spec"]["egress"] for one in rule["ports"]}
        assert ports - {53, 6443, 8080, 8443} == {port}, name


@pytest.mark.parametrize(
    ("endpoint", "https", "host"),
    [
        ("s3.example.org:443", True, "s3.example.org"),
        ("s3.example.org:80", False, "s3.example.org"),
        ("s3.example.org:80", True, "s3.example.org:80"),
    ],
)
def test_urls_are_signed_for_the_host_that_a_client_of_the_store_would_name(
    endpoint: str, https: bool, host: str
) -> None:
    store = {"endpoint": endpoint, "https": https, "ownHost": True, "existingSecret": "keys"}
    (operator,) = of_kind(template(HUB, values={"store": store}), "Deployment", "fedround-operator")

    assert environment(operator["spec"]["template"]["spec"]["containers"][0])["FEDROUND_STORE_HOST"] == host


def test_clinics_may_come_from_addresses_of_both_kinds() -> None:
    values = {
        "gateway": {"service": {"externalTrafficPolicy": "Local"}},
        "networkPolicy": {"gatewayFrom": ["::/0", "203.0.113.0/24"]},
    }

    (policy,) = of_kind(template(HUB, values=values), "NetworkPolicy", "fedround-gateway")

    blocks = [one["ipBlock"] for one in policy["spec"]["ingress"][0]["from"] if "ipBlock" in one]
    assert blocks == [{"cidr": "::/0"}, {"cidr": "203.0.113.0/24"}]


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
