"""The door to the Kubernetes API keeps the law that the fake of the unit tests keeps."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.api_contract import ApiContract
from fedround_operator.kit.api import KubeApi, connect
from fedround_operator.kit.resources import CLINIC_ROUNDS, LEASES, PODS, Resource
from support.running_cluster import RunningCluster

pytest_plugins = ("support.cluster_fixture",)

CRDS = Path(__file__).parents[2] / "crds"
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server(cluster: RunningCluster) -> RunningCluster:
    """The cluster, serving fedround's kinds."""
    cluster.kubectl("apply", "-f", str(CRDS))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "clinicrounds.fedround.dev", "--timeout=20s")
    return cluster


class TestKubeApi(ApiContract):
    @pytest.fixture
    def api(self, server: RunningCluster) -> KubeApi:
        return connect(server.cluster.admin_kubeconfig)

    @pytest.fixture
    def namespace(self, server: RunningCluster) -> Iterator[str]:
        name = f"contract-{next(_NUMBERS)}"
        server.kubectl("create", "namespace", name)
        yield name
        server.kubectl("delete", "namespace", name, "--wait=false")

    def test_discovery_names_what_is_served_and_nothing_else(self, api: KubeApi) -> None:
        assert [api.serves(one) for one in (CLINIC_ROUNDS, LEASES, PODS)] == [True, True, True]
        assert not api.serves(Resource("fedround.dev", "v1alpha1", "unicorns"))
        assert not api.serves(Resource("fedround.dev", "v9", "clinicrounds"))
        assert not api.serves(Resource("unicorns.dev", "v1", "unicorns"))
