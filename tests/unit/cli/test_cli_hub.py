"""What `fedround rounds` and `fedround report` make of a hub: lists, files, and one sentence for each thing amiss."""

import argparse
import base64
import dataclasses
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fedround_api import keys
from fedround_api.jobs import StoreAddress
from fedround_cli import report, rounds
from fedround_cli.connection import HubError
from fedround_cli.hub import Hub, connect_hub
from fedround_cli.main import parser
from fedround_cli.plain import age
from fedround_local.errors import StateUnusable
from fedround_operator.kit.errors import ApiError, ApiRefused, ApiUnreachable, Forbidden, NotFound
from fedround_operator.kit.resources import CONFIG_MAPS, ROUNDS, SECRETS, Object, Resource
from fedround_training.errors import StoreUnavailable
from fedround_training.reporting.build import document_of
from fedround_training.reporting.page import render
from fedround_training.store.files import Content
from support.builders import condition
from support.fake_api import FakeApi
from support.hub_builders import NETWORK, ROLL_BACK, make_round
from support.memory_store import MemoryStore
from support.report_inputs import make_report

NAME, ADVICE = "skin-2026-w48", "start the hub"
REPORT = make_report()
DOCUMENT, PAGE = document_of(REPORT).encode(), render(REPORT).encode()
DIGESTS = {"jsonSha256": hashlib.sha256(DOCUMENT).hexdigest(), "htmlSha256": hashlib.sha256(PAGE).hexdigest()}
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SENTENCE = "The candidate catches 7 of 10 high-risk cases."


class Network:
    """A hub with one round that was rolled back, and its store."""

    def __init__(self) -> None:
        self.api, self.store = FakeApi(), MemoryStore()
        self.asked_for: list[tuple[StoreAddress, dict[str, str]]] = []
        uid = self.add(
            NAME,
            phase="RolledBack",
            reason="HighRiskCasesLost",
            participation="3/3",
            completedAt="2026-11-24T12:40:00Z",
            verdict={**ROLL_BACK, "message": SENTENCE},
            report=DIGESTS,
            conditions=[condition("Succeeded", "True", "HighRiskCasesLost", SENTENCE)],
        )
        self.store.objects = {keys.report(uid): DOCUMENT, keys.report_page(uid): PAGE}
        self.place(endpoint="s3.example.org:443", bucket="skin", region="ca-central-1", https="true", secret="s3-keys")
        self.secret(**{"access-key": "HUB", "secret-key": "s3cret"})

    def add(self, name: str, **status: Any) -> str:
        """A round; its UID."""
        made = make_round().round
        metadata = {"name": name, "namespace": NETWORK}
        created = self.api.create(ROUNDS, NETWORK, {**made, "metadata": metadata})
        self.api.patch(ROUNDS, NETWORK, name, {"status": status}, "status")
        uid: str = created["metadata"]["uid"]
        return uid

    def secret(self, **texts: str) -> None:
        """The Secret, of whatever name, that opens the store."""
        data = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
        self.api.put(SECRETS, NETWORK, {"metadata": {"name": "s3-keys"}, "data": data})

    def place(self, **said: str) -> None:
        """What the hub's chart says of the store."""
        self.api.put(CONFIG_MAPS, NETWORK, {"metadata": {"name": "fedround-store"}, "data": said})

    def open_store(self, address: StoreAddress, folder: Path) -> MemoryStore:
        self.asked_for.append((address, {path.name: path.read_text() for path in folder.iterdir()}))
        return self.store

    @property
    def hub(self) -> Hub:
        return Hub(self.api, NETWORK, ADVICE, open_store=self.open_store)


@pytest.fixture
def network() -> Network:
    return Network()


def fetched(network: Network, name: str = NAME, *, as_json: bool = False) -> bytes:
    hub = network.hub
    return report.fetch(hub, report.wanted(hub.round(name), as_json=as_json))


class TestReport:
    @pytest.mark.parametrize(("as_json", "content"), [(False, PAGE), (True, DOCUMENT)])
    def test_both_files_are_fetched_as_they_were_written(self, network: Network, as_json: bool, content: bytes) -> None:
        assert fetched(network, as_json=as_json) == content

    def test_the_store_is_opened_where_and_with_what_the_hub_names(self, network: Network) -> None:
        fetched(network)

        address = StoreAddress(endpoint="s3.example.org:443", bucket="skin", region="ca-central-1", https=True)
        assert network.asked_for == [(address, {"access-key": "HUB", "secret-key": "s3cret"})]

    def test_a_stores_own_authority_is_handed_on(self, network: Network) -> None:
        network.secret(**{"access-key": "HUB", "secret-key": "s", "ca.crt": "PEM"})

        fetched(network)

        assert network.asked_for[0][1]["ca.crt"] == "PEM"

    def test_the_callers_way_to_the_store_comes_before_the_hubs(self, network: Network) -> None:
        hub = dataclasses.replace(network.hub, endpoint="127.0.0.1:8333")

        report.fetch(hub, report.wanted(hub.round(NAME), as_json=False))

        there = StoreAddress(endpoint="127.0.0.1:8333", bucket="skin", region="ca-central-1", https=True)
        assert network.asked_for[0][0] == there

    def test_a_report_that_was_changed_is_not_given_out(self, network: Network) -> None:
        key = next(key for key in network.store.objects if key.endswith("html"))
        network.store.objects[key] = PAGE.replace(b"Rolled back", b"Promoted!!!")

        with pytest.raises(HubError, match="it was changed, so do not rely on it"):
            fetched(network)

    def test_the_line_below_says_the_verdict_and_why(self, network: Network) -> None:
        assert report.verdict_line(network.hub.round(NAME)) == f"{NAME}: RolledBack: {SENTENCE}"

    def test_a_browser_is_given_the_pages_address(self, tmp_path: Path) -> None:
        opened: list[str] = []

        def browser(url: str) -> bool:
            opened.append(url)
            return True

        report.show(tmp_path / "page.html", browser)

        assert opened == [f"file://{tmp_path}/page.html"]

    def test_without_a_browser_the_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(HubError, match=r"no browser could be started: open .*page\.html yourself"):
            report.show(tmp_path / "page.html", lambda url: False)


class TestNoReport:
    def test_an_unknown_round_names_those_that_there_are(self, network: Network) -> None:
        network.add("another")

        with pytest.raises(HubError) as caught:
            fetched(network, name="skin-2027")

        assert str(caught.value) == (
            f"there is no round skin-2027 in namespace {NETWORK}: there are another, skin-2026-w48"
        )

    def test_in_a_network_without_rounds_there_is_none_at_all(self, network: Network) -> None:
        network.api.delete(ROUNDS, NETWORK, NAME)

        with pytest.raises(HubError, match="there is none at all"):
            fetched(network)

    def test_a_round_that_runs_says_how_far_it_is(self, network: Network) -> None:
        network.add("running", phase="Training", participation="2/3")

        with pytest.raises(HubError) as caught:
            fetched(network, name="running")

        assert str(caught.value) == (
            "round running has no report yet, it is Training (2/3 clinics have submitted): the report is written when "
            "it has been judged"
        )

    def test_a_round_that_nobody_has_looked_at_says_so(self, network: Network) -> None:
        network.add("new")

        with pytest.raises(HubError, match="it is waiting for the operator: the report"):
            fetched(network, name="new")

    def test_a_round_that_failed_before_its_judgement_says_why(self, network: Network) -> None:
        network.add(
            "failed",
            phase="Failed",
            reason="QuorumNotMet",
            completedAt="2026-11-24T12:40:00Z",
            conditions=[condition("Succeeded", "False", "QuorumNotMet", "1 of at least 2 clinics submitted")],
        )

        with pytest.raises(HubError) as caught:
            fetched(network, name="failed")

        assert str(caught.value) == (
            "round failed ended before it was judged, so it has no report: QuorumNotMet: 1 of at least 2 clinics "
            "submitted"
        )

    def test_a_round_of_an_older_version_has_a_verdict_alone(self, network: Network) -> None:
        network.add("old", phase="Promoted", completedAt="2026-11-24T12:40:00Z", verdict=ROLL_BACK)

        with pytest.raises(HubError, match="a version of fedround that wrote no report"):
            fetched(network, name="old")


class SilentStore(MemoryStore):
    """One that does not answer."""

    def get(self, key: str, path: Path, limit_bytes: int) -> Content:
        raise StoreUnavailable(f"no answer for {key}")


class TestStore:
    @pytest.mark.parametrize(
        ("endpoint", "forwarding"),
        [
            ("s3.example.org:443", "service/NAME 8333:PORT"),
            ("hub-minio.fedround-system.svc:9000", "-n fedround-system service/hub-minio 8333:9000"),
            ("s3.storage.svc.cluster.local:80", "-n storage service/s3 8333:80"),
        ],
    )
    def test_one_that_does_not_answer_says_what_to_do(self, network: Network, endpoint: str, forwarding: str) -> None:
        network.place(endpoint=endpoint, bucket="skin", region="ca-central-1", https="true", secret="s3-keys")
        network.store = SilentStore()

        with pytest.raises(HubError) as caught:
            fetched(network)

        assert str(caught.value) == (
            f"the object store at {endpoint} does not answer: look whether it runs; from outside the hub's cluster, "
            f"forward its port (`kubectl port-forward {forwarding}`) and give --store 127.0.0.1:8333"
        )

    def test_one_that_has_lost_the_report_says_so(self, network: Network) -> None:
        network.store.objects.clear()

        with pytest.raises(HubError, match="does not give it: there is no object rounds/"):
            fetched(network)

    @pytest.mark.parametrize(
        ("secret", "sentence"),
        [
            ({"access-key": "HUB"}, "the Secret s3-keys of namespace skin-network lacks secret-key"),
            ({"ca.crt": "PEM"}, "lacks access-key and secret-key"),
        ],
    )
    def test_a_secret_that_is_incomplete_says_what_it_lacks(
        self, network: Network, secret: dict[str, str], sentence: str
    ) -> None:
        network.secret(**secret)

        with pytest.raises(HubError, match=sentence):
            fetched(network)

    def test_a_namespace_that_says_nothing_of_a_store_is_probably_another_one(self, network: Network) -> None:
        network.api.delete(CONFIG_MAPS, NETWORK, "fedround-store")

        with pytest.raises(HubError, match="look whether -n names the network's namespace"):
            fetched(network)

    @pytest.mark.parametrize(
        "said",
        [
            {"endpoint": "s3.example.org:443", "bucket": "skin", "https": "true"},
            {"endpoint": "s3.example.org:443", "https": "true", "secret": "s3-keys"},
            {"endpoint": "s3.example.org:443", "bucket": "skin", "secret": "s3-keys"},
        ],
    )
    def test_half_of_what_the_hub_says_is_not_guessed(self, network: Network, said: dict[str, str]) -> None:
        network.place(**said)

        with pytest.raises(HubError, match="does not say where the object store is: `helm upgrade` writes it anew"):
            fetched(network)

    def test_a_secret_that_is_not_there_is_named(self, network: Network) -> None:
        network.api.delete(SECRETS, NETWORK, "s3-keys")

        with pytest.raises(HubError, match="has no Secret s3-keys with the object store's keys: make it"):
            fetched(network)

    def test_a_secret_that_is_no_base64_is_refused(self, network: Network) -> None:
        network.api.patch(SECRETS, NETWORK, "s3-keys", {"data": {"access-key": "*"}})

        with pytest.raises(HubError, match="cannot be read"):
            fetched(network)


class Refusing:
    """An API server that gives one answer to all."""

    def __init__(self, error: ApiError) -> None:
        self.error = error

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        raise self.error

    def list(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ApiUnreachable("GET: no answer"), "the hub's API server does not answer: start the hub"),
        (Forbidden("403 no"), "the hub's API server refuses: 403 no; ask its administrator for the right"),
        (ApiRefused("400 no"), "the hub's API server refuses: 400 no"),
        (NotFound("404"), "this cluster has no rounds, as it is no hub: look which one the kubeconfig"),
    ],
)
def test_an_api_server_that_gives_nothing_is_told_of_in_a_sentence(error: ApiError, sentence: str) -> None:
    with pytest.raises(HubError) as caught:
        Hub(Refusing(error), NETWORK, "start the hub").rounds()

    assert str(caught.value).startswith(sentence)


def listed(
    network: Network, capsys: pytest.CaptureFixture[str], *, width: int | None = None, as_json: bool = False
) -> str:
    assert rounds.show(network.hub, width, as_json=as_json, now=NOW) == 0
    return capsys.readouterr().out


class TestRounds:
    def test_a_line_has_everything_with_the_figures_before_and_after(
        self, network: Network, capsys: pytest.CaptureFixture[str]
    ) -> None:
        head, line = listed(network, capsys).splitlines()

        assert head.split() == [
            *("NAME", "MODEL", "PHASE", "CLINICS", "VERDICT", "REASON", "AGE"),
            *("SENSITIVITY", "SPECIFICITY", "AUROC"),
        ]
        assert line.split() == [
            *(NAME, "skin-lesion", "RolledBack", "3/3", "RollBack", "HighRiskCasesLost", "3h"),
            *("0.860->0.880", "0.800->0.810", "0.850->0.860"),
        ]

    def test_a_round_that_has_just_begun_has_dashes(self, network: Network, capsys: pytest.CaptureFixture[str]) -> None:
        network.add("new")

        line = next(line for line in listed(network, capsys).splitlines() if line.startswith("new "))
        assert line.split() == ["new", "skin-lesion", "-", "-", "-", "-", "3h", "-", "-", "-"]

    def test_a_terminal_of_80_columns_gets_three_lines_for_each(
        self, network: Network, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert listed(network, capsys, width=80).splitlines() == [
            f"{NAME}: RolledBack (HighRiskCasesLost)",
            "  skin-lesion, 3/3 clinics, 3h old",
            "  sensitivity 0.860->0.880, specificity 0.800->0.810, AUROC 0.850->0.860",
        ]

    def test_as_json_it_has_digests_and_times(self, network: Network, capsys: pytest.CaptureFixture[str]) -> None:
        found = json.loads(listed(network, capsys, as_json=True))["rounds"]

        assert [one["name"] for one in found] == [NAME]
        assert found[0]["report"] == DIGESTS
        assert (found[0]["phase"], found[0]["message"]) == ("RolledBack", SENTENCE)
        assert (found[0]["verdict"]["lost"], found[0]["completedAt"]) == (5, "2026-11-24T12:40:00Z")
        assert found[0]["createdAt"] == "2026-11-24T12:00:00Z"

    def test_where_there_is_none_it_says_how_to_make_one(
        self, network: Network, capsys: pytest.CaptureFixture[str]
    ) -> None:
        network.api.delete(ROUNDS, NETWORK, NAME)

        assert "there are no rounds in namespace skin-network: make one" in listed(network, capsys)


@pytest.mark.parametrize(
    ("seconds", "want"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_799, "47h"), (172_800, "2d")],
)
def test_an_age_is_told_as_kubectl_tells_it(seconds: int, want: str) -> None:
    now = datetime.fromtimestamp(1_700_000_000 + seconds, UTC)

    assert age(datetime.fromtimestamp(1_700_000_000, UTC).isoformat(), now) == want


def options(**given: Any) -> argparse.Namespace:
    chosen = {"state": None, "kubeconfig": None, "context": None, "namespace": NETWORK, **given}
    return argparse.Namespace(**chosen)


class Newer:
    """A hub with one more round, in a phase that this program does not know."""

    def __init__(self, known: FakeApi) -> None:
        self.known = known

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        return self.known.get(resource, namespace, name)

    def list(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        dream = make_round().status(phase="Dreaming").round
        return [*self.known.list(resource, namespace), {**dream, "metadata": {**dream["metadata"], "name": "dream"}}]


class TestAnotherVersion:
    @pytest.fixture
    def hub(self, network: Network) -> Hub:
        return Hub(Newer(network.api), NETWORK, ADVICE)

    def test_the_other_rounds_are_listed_and_of_that_one_it_is_said_why_not(
        self, hub: Hub, capsys: pytest.CaptureFixture[str]
    ) -> None:
        exit_code = rounds.show(hub, None, as_json=False, now=NOW)

        said = capsys.readouterr()
        assert [line.split()[0] for line in said.out.splitlines()] == ["NAME", NAME]
        assert said.err.startswith(
            "fedround: round dream is left out: the hub is of another version than this program (FederatedRound dream"
        )
        assert exit_code == 1

    def test_as_json_both_are_in_the_one_document(self, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        rounds.show(hub, None, as_json=True, now=NOW)

        found = json.loads(capsys.readouterr().out)
        assert [one["name"] for one in found["rounds"]] == [NAME]
        assert list(found["unreadable"]) == ["dream"]
        assert "of another version than this program" in found["unreadable"]["dream"]

    def test_where_none_can_be_read_it_is_not_said_that_there_is_none(
        self, hub: Hub, network: Network, capsys: pytest.CaptureFixture[str]
    ) -> None:
        network.api.delete(ROUNDS, NETWORK, NAME)

        exit_code = rounds.show(hub, None, as_json=False, now=NOW)

        assert (capsys.readouterr().out, exit_code) == ("", 1)

    def test_asked_for_by_its_name_it_is_refused(self, hub: Hub) -> None:
        with pytest.raises(HubError, match=r"of another version than this program \(FederatedRound dream"):
            hub.round("dream")


class TestConnection:
    @pytest.mark.parametrize(
        "given",
        ["store", "store:", ":8333", "http://store:8333", "store:port", "store:8333/b", "store:65536", "[::1]:8333"],
    )
    def test_a_store_is_a_host_and_a_port(self, given: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            parser().parse_args(["report", NAME, "--store", given])

        assert f"{given!r} is no HOST:PORT" in capsys.readouterr().err

    def test_a_folder_without_a_federation_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(StateUnusable, match="there is no federation in"):
            connect_hub(options(state=tmp_path))

    @pytest.mark.parametrize("content", [None, "", "root:x:0:0", "a: [", "\0\1", "{}"])
    def test_a_file_that_is_no_kubeconfig_says_so(self, tmp_path: Path, content: str | None) -> None:
        path = tmp_path / "kubeconfig"
        if content is not None:
            path.write_text(content)

        with pytest.raises(HubError, match="give --state DIR for a federation on this machine, or --kubeconfig"):
            connect_hub(options(kubeconfig=path))

    def test_the_environments_kubeconfig_is_taken_where_none_is_given(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "elsewhere"))

        with pytest.raises(HubError, match="elsewhere"):
            connect_hub(options())
