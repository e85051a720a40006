"""The pages on operations, privacy and a clinic's IT say what code, contract and charts say."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from fedround_api import keys, names
from fedround_api.jobs import Role
from fedround_api.kinds import ClinicRoundStatus, FederatedModel
from fedround_api.kinds.clinic_round import ClinicResult
from fedround_api.kinds.federated_model import HISTORY_LIMIT, Architecture
from fedround_api.kinds.policy import ClinicPolicySpec
from fedround_operator.hub.manifests import model_shape
from fedround_operator.kit.jobmanifests import NEEDS, TTL_SECONDS
from fedround_operator.kit.leases import renewal
from fedround_training.data.image_cache import RESERVE_BYTES, ImageCache
from fedround_training.models.checkpoint import save_checkpoint
from fedround_training.models.registry import build, tensors_of
from support.builders import BASE_DIGEST
from support.charts import HUB, pods, rendered
from support.hub_builders import NOON
from support.markdown_pages import CHECKOUT, Page

OPERATIONS, PRIVACY, CLINIC_IT = (
    Page(CHECKOUT / "docs" / f"{name}.md") for name in ("operations", "privacy-officer", "clinic-it")
)
LEASE = renewal("north", 40, NOON)["spec"]


def named(rows: Iterable[Iterable[str]]) -> list[str]:
    """What stands as code in the first cell of each row."""
    return [word for first, *_ in rows for word in re.findall(r"`([^`]+)`", first)]


def fields(model: type[BaseModel], before: str = "") -> set[str]:
    return {f"{before}{field.alias or name}" for name, field in model.model_fields.items()}


def leaves(value: Mapping[str, Any], before: str = "") -> set[str]:
    """The names of all values of a document, such as `privacy.allowNone`."""
    found: set[str] = set()
    for name, one in value.items():
        found |= leaves(one, f"{before}{name}.") if isinstance(one, dict) else {f"{before}{name}"}
    return found


def chart(name: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = yaml.safe_load((CHECKOUT / "charts" / name / "values.yaml").read_text())
    return values


class TestPrivacy:
    def test_every_field_that_a_clinic_writes_is_listed_and_no_other(self) -> None:
        listed = named(PRIVACY.rows("What leaves the clinic"))
        status = (fields(ClinicRoundStatus) - {"result"}) | fields(ClinicResult, "result.")
        annotations = {
            *(names.AGENT_VERSION_ANNOTATION, names.CASE_VOLUME_ANNOTATION),
            *(names.RENEWAL_REQUEST_ANNOTATION, names.RENEWAL_SIGNATURE_ANNOTATION),
        }

        assert sorted(listed) == sorted({*status, *LEASE, *annotations})

    def test_every_decision_of_a_policy_is_listed(self) -> None:
        whole = {"caseVolume": 1, "privacy": {}, "training": {}}
        policy = ClinicPolicySpec.model_validate(whole)

        assert set(named(PRIVACY.rows("What the clinic decides"))) == leaves(policy.dump())

    def test_the_size_of_an_update_is_in_the_first_paragraph(self) -> None:
        assert "some 190,000\nnumbers" in PRIVACY.path.read_text()
        assert 185_000 < sum(values.size for values in weights().values()) < 195_000


def weights() -> Mapping[str, Any]:
    """Of the model of the examples."""
    model = FederatedModel.model_validate(yaml.safe_load((CHECKOUT / "examples" / "model.yaml").read_text()))
    return tensors_of(build(model_shape(model), seed=0))


class TestClinicIT:
    def test_the_needs_of_pods_are_those_of_manifests_and_chart(self) -> None:
        rows = [row for row in CLINIC_IT.rows("What it needs") if row[-1].endswith(("i", "most"))]
        agent = chart("fedround-clinic")["agent"]["resources"]
        requests, limit = agent["requests"], agent["limits"]["memory"]

        assert rows == [
            ["agent", requests["cpu"], f"{requests['memory']}, {limit} at most"],
            *([f"`{role}`", NEEDS[role].cpu, NEEDS[role].memory] for role in (Role.FETCH, Role.TRAIN, Role.SUBMIT)),
        ]

    def test_checkpoint_and_update_are_as_large_as_they_are(self, tmp_path: Path) -> None:
        stored = save_checkpoint(tmp_path / "checkpoint.safetensors", weights())
        (row,) = (row for row in CLINIC_IT.rows("Network") if row[0] == f"`{Architecture.TINY_GN}`")

        assert row == ["`tiny-gn`", "7", f"{stored.bytes:,} bytes", f"{stored.bytes:,} bytes", "1.5 MB"]
        assert [one.value for one in Architecture] == ["tiny-gn"], "a new architecture needs its row"

    @pytest.mark.parametrize(
        ("size", "shown"), [(64, "12,320 at 64"), (224, "150,560 at 224"), (512, "786,464 at 512")]
    )
    def test_a_decoded_image_is_as_large_as_is_said(self, tmp_path: Path, size: int, shown: str) -> None:
        ImageCache(tmp_path / "cache", reserve_bytes=0).save("ab" * 32, np.zeros((size, size, 3), np.uint8))
        (entry,) = (tmp_path / "cache").iterdir()

        assert shown.startswith(f"{entry.stat().st_size:,} at")
        assert shown in CLINIC_IT.path.read_text()

    def test_the_room_that_the_cache_leaves_is_as_is_said(self) -> None:
        assert ["workspace, kept free", "1 GiB: with less, images are decoded anew in each round"] in CLINIC_IT.rows(
            "What it needs"
        )
        assert RESERVE_BYTES == 2**30

    def test_the_workspace_of_the_chart_is_as_large_as_is_said(self) -> None:
        assert f"the chart asks for {chart('fedround-clinic')['workspace']['size']}" in CLINIC_IT.path.read_text()


def memory(*resources: Mapping[str, Any]) -> str:
    """What the containers of a pod ask for and may take together, as the pages write it."""
    asked, most = (sum(_mebibytes(one[part]["memory"]) for one in resources) for part in ("requests", "limits"))
    return f"{_written(asked)}, {_written(most)} at most"


def _mebibytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]


def _written(mebibytes: int) -> str:
    return f"{mebibytes}Mi" if mebibytes % 1024 else f"{mebibytes // 1024}Gi"


class TestHub:
    def test_the_needs_of_pods_are_those_of_manifests_and_chart(self) -> None:
        rows = [row for row in OPERATIONS.rows("What it needs") if len(row) == 3]
        made = {pod.name: pod.spec["containers"] for pod in pods(rendered(HUB, "trial"))}
        operator, gateway, minio = (
            [container["resources"] for container in made[f"Deployment fedround-{name}"]]
            for name in ("operator", "gateway", "minio")
        )
        jobs = {Role.INIT: "once a model", Role.AGGREGATE: "once a round", Role.VALIDATE: "once a round"}

        assert [one["requests"]["cpu"] for one in (*operator, *gateway, *minio)] == ["100m", "100m", "10m", "100m"]
        assert rows == [
            ["operator", "100m", memory(*operator)],
            ["gateway, for each of `gateway.replicas`", "110m", memory(*gateway)],
            ["MinIO, the trial store", "100m", memory(*minio)],
            *([f"`{role}`, {when}", NEEDS[role].cpu, NEEDS[role].memory] for role, when in jobs.items()),
        ]

    def test_every_job_is_in_the_table_of_the_hub_or_of_a_clinic(self) -> None:
        listed = named(OPERATIONS.rows("What it needs")) + named(CLINIC_IT.rows("What it needs"))

        assert {role.value for role in NEEDS} <= set(listed)

    def test_the_claim_of_the_trial_store_is_as_large_as_is_said(self) -> None:
        size = chart("fedround-hub")["minio"]["persistence"]["size"]

        assert f"the trial store's claim asks for {size}" in OPERATIONS.path.read_text()

    def test_what_passes_the_gateway_is_counted_right(self, tmp_path: Path) -> None:
        size = save_checkpoint(tmp_path / "checkpoint.safetensors", weights()).bytes

        assert f"six clinics with `tiny-gn` are {6 * 2 * size / 1e6:.0f} MB" in OPERATIONS.path.read_text()


class TestOperations:
    def test_every_prefix_of_the_bucket_says_when_its_objects_may_go(self) -> None:
        made = (
            keys.update("north", "uid"),
            *(keys.candidate("uid"), keys.aggregate_record("uid"), keys.report("uid"), keys.report_page("uid")),
            keys.published_checkpoint("skin-lesion", BASE_DIGEST),
        )
        listed = named(row[:1] for row in OPERATIONS.rows("What grows, and what may be deleted"))

        assert sorted(listed) == sorted({f"{key.partition('/')[0]}/" for key in made} | {"test-sets/"})

    def test_what_a_round_adds_is_counted_right(self, tmp_path: Path) -> None:
        size = save_checkpoint(tmp_path / "checkpoint.safetensors", weights()).bytes

        assert f"A round of six clinics with `tiny-gn` adds {7 * size / 1e6:.1f} MB" in OPERATIONS.path.read_text()
        assert f"and {size / 1e6:.2f} MB to `published/`" in OPERATIONS.path.read_text()

    def test_the_limits_of_history_and_jobs_are_those_of_the_code(self) -> None:
        text = " ".join(OPERATIONS.path.read_text().split())

        assert f"A model's history has the last {HISTORY_LIMIT} versions" in text
        assert "Jobs go after a day" in text
        assert TTL_SECONDS == 24 * 3600
