"""Commands in messages are ready to be pasted, also where a folder has a space in its name."""

from pathlib import Path

import pytest

from fedround_cli.main import main
from fedround_local.federation.layout import Layout
from fedround_local.federation.record import OBJECTS, FederationRecord, save_record

RECORD = FederationRecord(
    objects=OBJECTS,
    data="photos",
    split_by=None,
    seed=0,
    image_size=64,
    clinics={"north": 40},
    test_cases=10,
    gateway_port=1,
    metrics_ports={},
)
# Nothing listens at this port.
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: hub, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: admin, user: {token: none}}]
contexts: [{name: hub, context: {cluster: hub, user: admin}}]
current-context: hub
"""


def said(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 1
    return capsys.readouterr().err


def test_where_there_is_no_federation_the_command_makes_one_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "my state"
    state.mkdir()

    assert f"look at the path, or make one with `fedround local up --state '{state}' --data DIR --clinics N`" in said(
        "local", "status", "--state", str(state), capsys=capsys
    )


@pytest.mark.parametrize(
    "command",
    [("local", "kubectl", "--state", "{}", "--", "get", "fr"), ("rounds", "--state", "{}")],
)
def test_where_one_does_not_run_the_command_starts_it(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "my state"
    place = Layout(state)
    with place.claimed(new=True):
        save_record(place.record, RECORD)
        kubeconfig = place.kubeconfig("network-admin")
        kubeconfig.parent.mkdir(exist_ok=True)
        kubeconfig.write_text(KUBECONFIG)

    told = said(*(word.format(state) for word in command), capsys=capsys)

    assert f"`fedround local up --state '{state}'`" in told
