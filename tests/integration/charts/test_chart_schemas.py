"""Every manifest of the charts, and every example, against the schemas of each Kubernetes version that they support."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fedround_api.crd import definitions
from support import tools
from support.charts import EXAMPLES, ROOT, STRANGE, VARIANTS, Object, rendered

_DEFINITIONS = "/api/_definitions.json"
_REFERENCE = re.compile(r'"\$ref": "[^"#]*#/\$defs/([^"]+)"')
KINDS = (
    "clusterrole-rbac-v1.json",
    "clusterrolebinding-rbac-v1.json",
    "configmap-v1.json",
    "customresourcedefinition-apiextensions-v1.json",
    "deployment-apps-v1.json",
    "namespace-v1.json",
    "networkpolicy-networking-v1.json",
    "persistentvolumeclaim-v1.json",
    "pod-v1.json",
    "poddisruptionbudget-policy-v1.json",
    "role-rbac-v1.json",
    "rolebinding-rbac-v1.json",
    "secret-v1.json",
    "service-v1.json",
    "serviceaccount-v1.json",
)
VERSIONS = ["1.31.0", "1.32.0", "1.33.0", "1.34.0", "1.35.0", "1.36.0", "1.37.0"]


def _closed(schema: Any) -> Any:
    """The schema, refusing what it does not name: an API server would drop it without a word."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _closed(value) for key, value in schema.items()}
    return {**found, "additionalProperties": False} if isinstance(found.get("properties"), dict) else found


def _own_kinds() -> dict[str, Object]:
    """Schemas of our own kinds, by the name of the file in which kubeconform looks for them."""
    return {
        f"{crd['spec']['names']['kind'].lower()}-fedround-v1alpha1.json": _closed(
            crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        )
        for crd in definitions()
    }


def _in_one_piece(schema: Object, known: Mapping[str, Object]) -> Object:
    """The schema with the definitions that it needs, and no reference to another file or to the network."""
    needed: dict[str, Object] = {}
    waiting = [schema]
    while waiting:
        for name in _REFERENCE.findall(json.dumps(waiting.pop())):
            if name not in needed:
                needed[name] = known[name]
                waiting.append(known[name])
    text = json.dumps({**schema, "$defs": needed}).replace(f"{_DEFINITIONS}#", "#")
    found: Object = json.loads(text)
    del found["$id"]
    return found


def _schemas(version: str, folder: Path) -> None:
    """The schemas of the kinds that the charts use, in a folder for kubeconform."""
    given = tools.kubernetes_schemas() / version
    known = json.loads((given / "_definitions.json").read_text())["$defs"]
    for name in KINDS:
        (folder / name).write_text(json.dumps(_in_one_piece(json.loads((given / name).read_text()), known)))
    for name, schema in _own_kinds().items():
        (folder / name).write_text(json.dumps(schema))
    for path in tools.monitoring_schemas().iterdir():
        (folder / path.name).write_text(json.dumps(_closed(json.loads(path.read_text()))))


def _kubeconform(version: str, folder: Path, objects: list[Object]) -> list[str]:
    """What is wrong with the objects, and what of them is of an unknown kind; in the order of their names."""
    _schemas(version, folder)
    done = subprocess.run(
        [
            tools.kubeconform(),
            "-strict",
            "-output=json",
            f"-kubernetes-version={version}",
            f"-schema-location={folder}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json",
        ],
        # As JSON: what writes YAML here and what reads it there disagree whether 1e3 is a number.
        input="\n---\n".join(map(json.dumps, objects)),
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["resources"] or []
    problems = sorted(f"{one['name']} {one['kind']}: {one['status']} {one['msg']}" for one in found)
    assert done.returncode == (1 if problems else 0), done.stderr
    return problems


def _everything() -> list[Object]:
    """What the charts make, and the examples that an API server sees: neither values nor a clinic's policy."""
    objects = [one for chart, variant in VARIANTS for one in rendered(chart, variant)]
    objects += [one for installation in STRANGE.values() for one in installation.objects()]
    documents = [one for path in EXAMPLES.rglob("*.yaml") for one in yaml.safe_load_all(path.read_text())]
    return [*objects, *(one for one in documents if one.get("kind", "ClinicPolicy") != "ClinicPolicy")]


def test_all_supported_versions_are_looked_at() -> None:
    known = sorted(path.name for path in tools.kubernetes_schemas().iterdir())

    assert known[known.index("1.31.0") :] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_its_schema(version: str, tmp_path: Path) -> None:
    assert _kubeconform(version, tmp_path, _everything()) == []


def test_an_unknown_field_and_an_unknown_kind_are_seen(tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "dta": {}}
    stranger = {"apiVersion": "v1", "kind": "Secrets", "metadata": {"name": "two"}}
    round_ = {"apiVersion": "fedround.dev/v1alpha1", "kind": "Clinic", "metadata": {"name": "x"}, "spec": {"colour": 1}}

    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "three"},
        "spec": {"selector": {}, "endpoints": [{"prot": "metrics"}]},
    }

    found = _kubeconform("1.34.0", tmp_path, [secret, stranger, round_, monitor])

    seen = [line.partition(":")[0] for line in found]
    assert seen == ["one Secret", "three ServiceMonitor", "two Secrets", "x Clinic"]
    assert "dta" in found[0]
    assert "prot" in found[1]
    assert "colour" in found[3]


def test_skaffolds_configuration_fits_its_schema() -> None:
    document = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    version = document["apiVersion"].removeprefix("skaffold/")
    schemas = tools.skaffold_source() / "docs-v2" / "content" / "en" / "schemas"
    schema = json.loads((schemas / f"{version}.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)

    assert [error.message for error in validator.iter_errors(document)] == []
    document["profiles"][0]["deploy"]["helm"]["releases"][0]["chart"] = "misspelt"
    assert not validator.is_valid(document)
