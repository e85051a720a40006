"""What a clinic's credentials open at the running gateway: its own path, and nothing else."""

import itertools
import json
import socket
import ssl
from collections.abc import Iterator

import pytest

from fedround_api import keys, names
from fedround_api.kinds import ClinicRound
from fedround_local.federation import layout
from fedround_local.objectstore import BUCKET
from fedround_operator.kit.pki import fingerprint
from fedround_operator.kit.resources import CLINIC_ROUNDS, CLINICS, JOBS, LEASES, MODELS, PODS, ROUNDS, Resource
from support.federation_fixture import NETWORK, Network, wait_for
from support.hostile_clinic import HostileClinic

pytestmark = pytest.mark.timeout(300)

SECRETS, SERVICE_ACCOUNTS = Resource("", "v1", "secrets"), Resource("", "v1", "serviceaccounts")
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
REFUSED = (401, 403, 404, 405)


@pytest.fixture(scope="module")
def own(network: Network) -> HostileClinic:
    return HostileClinic(network, network.clinics[0])


@pytest.fixture(scope="module")
def other(network: Network) -> HostileClinic:
    return HostileClinic(network, network.clinics[1])


@pytest.fixture(scope="module")
def parts(network: Network, own: HostileClinic, other: HostileClinic) -> Iterator[tuple[ClinicRound, ClinicRound]]:
    """Parts of a round in both clinics: their agents are stopped, so the round stays where it is."""
    network.await_available()
    for clinic in (own, other):
        network.federation.processes.stop(f"agent-{clinic.name}")
    network.make_model("isolated")
    network.start_round("isolated", "isolated")
    yield own.part("isolated"), other.part("isolated")
    network.change_round("isolated", cancel=True)
    network.ended("isolated")
    network.start_all()
    network.await_available()


def test_its_own_part_lease_and_objects_are_open_to_a_clinic(
    network: Network, own: HostileClinic, parts: tuple[ClinicRound, ClinicRound]
) -> None:
    part, _ = parts
    own.renew_lease()
    assert own.ask("GET", part.spec.urls.checkpoint).status == 200
    assert own.ask("PUT", part.spec.urls.update, b"anything").status == 200
    assert network.stored(keys.update(own.name, part.spec.round.uid)) == b"anything"
    path = CLINIC_ROUNDS.path(own.namespace, part.metadata.name, "status")
    assert own.ask_api("PATCH", path, {"status": {"phase": "Training"}}).status == 200


@pytest.mark.parametrize("whose_token", ["own", "other"])
def test_another_clinics_part_is_closed_whatever_the_token(
    own: HostileClinic, other: HostileClinic, parts: tuple[ClinicRound, ClinicRound], whose_token: str
) -> None:
    _, foreign = parts
    token = own.token if whose_token == "own" else other.token
    path = CLINIC_ROUNDS.path(other.namespace)
    status = CLINIC_ROUNDS.path(other.namespace, foreign.metadata.name, "status")
    for method, target, body in (
        ("GET", path, None),
        ("GET", f"{path}?watch=1&timeoutSeconds=1", None),
        ("GET", CLINIC_ROUNDS.path(other.namespace, foreign.metadata.name), None),
        ("PATCH", status, {"status": {"phase": "Spoiled"}}),
        ("PATCH", LEASES.path(other.namespace, names.LEASE_NAME), {"spec": {"holderIdentity": "thief"}}),
        ("GET", LEASES.path(other.namespace, names.LEASE_NAME), None),
    ):
        answer = own.ask_api(method, target, body, token=token)
        assert answer.status == 403, (method, target, answer)
    assert other.part("isolated").status.phase != "Spoiled"


def test_a_clinics_certificate_with_another_clinics_token_opens_not_even_its_own_path(
    own: HostileClinic, other: HostileClinic, parts: tuple[ClinicRound, ClinicRound]
) -> None:
    part, _ = parts
    assert own.ask_api("GET", CLINIC_ROUNDS.path(own.namespace), token=other.token).status == 403
    path = CLINIC_ROUNDS.path(own.namespace, part.metadata.name, "status")
    assert own.ask_api("PATCH", path, {"status": {"phase": "Spoiled"}}, token=other.token).status == 403


def test_another_clinics_presigned_url_is_of_no_use(
    network: Network, own: HostileClinic, other: HostileClinic, parts: tuple[ClinicRound, ClinicRound]
) -> None:
    part, foreign = parts
    assert other.ask("PUT", foreign.spec.urls.update, b"honest").status == 200
    assert own.ask("PUT", foreign.spec.urls.update, b"spoiled").status == 403
    assert own.ask("GET", foreign.spec.urls.update).status == 403
    # Its own URL signs its own object and method only.
    swapped = part.spec.urls.update.replace(f"/clinics/{own.name}/", f"/clinics/{other.name}/")
    assert own.ask("PUT", swapped, b"spoiled").status == 403
    assert own.ask("PUT", part.spec.urls.checkpoint, b"spoiled").status == 403
    assert own.ask("DELETE", part.spec.urls.update).status in REFUSED
    assert network.stored(keys.update(other.name, foreign.spec.round.uid)) == b"honest"


def test_objects_are_not_listed_and_not_read_without_a_signature(
    own: HostileClinic, parts: tuple[ClinicRound, ClinicRound]
) -> None:
    part, _ = parts
    uid = part.spec.round.uid
    for target in (
        "/",
        f"/{BUCKET}",
        f"/{BUCKET}/",
        f"/{BUCKET}/{keys.update(own.name, uid)}",
        f"/{BUCKET}/{keys.candidate(uid)}",
    ):
        assert own.ask("GET", target).status in REFUSED, target


def test_without_a_certificate_there_is_no_answer(own: HostileClinic, parts: tuple[ClinicRound, ClinicRound]) -> None:
    part, _ = parts
    context = own.context(with_certificate=False)
    for target in ("/", "/version", CLINIC_ROUNDS.path(own.namespace), part.spec.urls.checkpoint):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            own.ask("GET", target, headers={"Authorization": f"Bearer {own.token}"}, context=context)


def test_plain_http_gets_no_answer_from_behind_the_gateway(network: Network, own: HostileClinic) -> None:
    settings = network.federation.parts(network.record).gateway.settings
    with socket.create_connection((settings.bind, settings.port), timeout=10) as plain:
        plain.sendall(b"GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = plain.recv(1000)
    assert b"gitVersion" not in answer
    assert own.token.encode() not in answer


def may(network: Network, clinic: str, asked: dict[str, str]) -> bool:
    """Whether the Role of a clinic's token allows it, wherever it is asked: here no gateway stands in between."""
    home = names.clinic_namespace(clinic)
    spec = {
        "user": f"system:serviceaccount:{home}:agent",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated"],
        "resourceAttributes": asked,
    }
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    return bool(network.watching.create(REVIEWS, review)["status"]["allowed"])


def test_the_role_of_a_clinics_token_allows_what_its_agent_does_and_nothing_else(network: Network) -> None:
    clinic, other = network.clinics[:2]
    home = names.clinic_namespace(clinic)
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
    kinds = (CLINIC_ROUNDS, CLINICS, JOBS, LEASES, MODELS, PODS, ROUNDS, SECRETS, SERVICE_ACCOUNTS)
    places = (home, names.clinic_namespace(other), NETWORK, layout.SYSTEM_NAMESPACE, layout.local_namespace(clinic), "")
    allowed = []
    for verb, kind, sub, place in itertools.product(verbs, kinds, ("", "status"), places):
        asked = {"verb": verb, "group": kind.group, "resource": kind.plural, "subresource": sub, "namespace": place}
        if may(network, clinic, asked):
            allowed.append((verb, kind.plural, sub, place))
    assert allowed == [
        ("list", "clinicrounds", "", home),
        ("watch", "clinicrounds", "", home),
        ("patch", "clinicrounds", "status", home),
    ]
    lease = {"verb": "patch", "group": "coordination.k8s.io", "resource": "leases", "name": "agent"}
    assert may(network, clinic, {**lease, "namespace": home})
    assert not may(network, clinic, {**lease, "namespace": names.clinic_namespace(other)})


def test_an_agents_token_cannot_write_a_spec(own: HostileClinic, parts: tuple[ClinicRound, ClinicRound]) -> None:
    part, _ = parts
    path = CLINIC_ROUNDS.path(own.namespace, part.metadata.name)
    assert own.ask_api("PATCH", path, {"spec": {"closed": True}}).status == 403
    assert own.ask_api("DELETE", path).status == 403
    # A status write carries no spec with it.
    assert own.ask_api("PATCH", f"{path}/status", {"spec": {"closed": True}, "status": {}}).status == 200
    assert not own.part("isolated").spec.closed


@pytest.mark.parametrize(
    "target",
    [
        SECRETS.path(NETWORK),
        ROUNDS.path(NETWORK),
        MODELS.path(NETWORK),
        CLINICS.path(NETWORK),
        "/api/v1/namespaces",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        CLINIC_ROUNDS.path(),
        "/metrics",
        "/logs",
    ],
)
def test_the_gateway_opens_no_other_part_of_the_api(own: HostileClinic, target: str) -> None:
    assert own.ask_api("GET", target).status == 403


def test_secrets_and_pods_of_its_own_namespace_are_closed_to_a_clinic(own: HostileClinic) -> None:
    for resource in (SECRETS, SERVICE_ACCOUNTS, PODS):
        assert own.ask_api("GET", resource.path(own.namespace)).status == 403


def test_a_revoked_certificate_is_refused_at_once(network: Network, own: HostileClinic) -> None:
    gateway = network.federation.parts(network.record).gateway
    certificate = (network.federation.place.clinic(own.name) / "tls.crt").read_bytes()

    def answer() -> int:
        try:
            return own.ask_api("GET", CLINIC_ROUNDS.path(own.namespace)).status
        except ConnectionError:
            return 0

    gateway.revoke([fingerprint(certificate)])
    try:
        wait_for(lambda: answer() == 403, "the certificate is refused", 10)
    finally:
        gateway.revoke([])
    wait_for(lambda: answer() == 200, "the certificate is taken again", 10)


def test_no_log_of_the_gateway_holds_a_token_or_a_signature(network: Network, own: HostileClinic) -> None:
    settings = network.federation.parts(network.record).gateway.settings
    written = settings.access_log.read_text() + network.federation.processes.log_path("gateway").read_text()
    assert own.token not in written
    assert "X-Amz-Signature=" not in written
    assert json.loads(settings.access_log.read_text().splitlines()[0])
