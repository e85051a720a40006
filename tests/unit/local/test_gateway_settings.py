"""What the gateway and the object store are started with."""

import json
import tomllib
from pathlib import Path

from fedround_local import gateway, objectstore
from fedround_local.gateway import GatewaySettings, caddyfile
from fedround_local.objectstore import StoreKey, StoreKeys, StorePorts
from fedround_local.processes import Processes

SETTINGS = GatewaySettings(
    folder=Path("/state/gateway"),
    port=8443,
    certificate=Path("/state/pki/gateway.crt"),
    key=Path("/state/pki/gateway.key"),
    federation_ca=Path("/state/pki/federation.crt"),
    store="http://127.0.0.1:8333",
    api="https://127.0.0.1:6443",
    api_ca=Path("/state/pki/cluster.crt"),
)
PORTS = StorePorts(s3=1, s3_grpc=2, master=3, master_grpc=4, volume=5, volume_grpc=6, filer=7, filer_grpc=8)
KEYS = StoreKeys(StoreKey("HUB", "hub-secret"), StoreKey("ADMIN", "admin-secret"), ("w", "r", "fw", "fr"))


def test_the_caddyfile_and_the_environment_name_the_same_variables() -> None:
    given = {name for name in gateway.environment(SETTINGS) if name.startswith("FEDROUND_")}
    read = {part.partition("}")[0] for part in caddyfile().read_text().split("{$")[1:]}
    # The authority of a store that speaks https; the one on this machine does not.
    assert read - given == {"FEDROUND_STORE_CA"}
    assert given <= read


def test_the_gateway_is_named_by_the_address_for_which_urls_are_signed() -> None:
    assert SETTINGS.address == "127.0.0.1:8443"


def test_the_store_listens_on_loopback_and_tells_nobody_about_itself() -> None:
    argv = objectstore.command(Path("weed"), PORTS)
    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"} <= set(argv)
    assert {"-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-s3.autoCreateBucket=false"} <= set(argv)
    assert not any("metricsPort" in one or "debug" in one or "pprof" in one for one in argv)


def test_every_inner_port_of_the_store_has_a_certificate_and_every_token_a_key() -> None:
    document = tomllib.loads(objectstore.security_toml(KEYS.internal))
    pair = {"cert": "pki/store.crt", "key": "pki/store.key"}
    assert document["grpc"] == {
        "ca": "pki/ca.crt",
        **dict.fromkeys(("master", "volume", "filer", "s3", "client"), pair),
    }
    served = {**pair, "ca": "pki/ca.crt"}
    assert document["https"] == {
        "master": served,
        "volume": served,
        "filer": served,
        "client": {"enabled": True, **served},
    }
    assert document["jwt"] == {
        "signing": {"key": "w", "read": {"key": "r"}},
        "filer_signing": {"key": "fw", "read": {"key": "fr"}},
    }


def test_the_hub_may_read_write_and_list_its_bucket_and_nothing_else() -> None:
    entries = json.loads(objectstore.identities(KEYS))["identities"]
    assert {one["name"]: one["actions"] for one in entries} == {
        "admin": ["Admin"],
        "hub": ["Read:fedround", "Write:fedround", "List:fedround"],
    }
    assert entries[1]["credentials"] == [{"accessKey": "HUB", "secretKey": "hub-secret"}]


def test_ports_and_keys_are_chosen_once(tmp_path: Path) -> None:
    first = objectstore.ObjectStore(tmp_path, Processes(tmp_path), Path("weed"))
    second = objectstore.ObjectStore(tmp_path, Processes(tmp_path), Path("weed"))
    assert (first.ports, first.keys) == (second.ports, second.keys)
    assert first.keys.hub != first.keys.admin
