"""Skaffold reads its configuration, and renders both charts with the images that it was given."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from support import tools
from support.charts import BUNDLE, CLINIC, HUB, NAMESPACES, ROOT, Object, environment, pods

# It is built from its module once, for ten minutes of CPU time.
pytestmark = pytest.mark.timeout(1800)

IMAGES = {name: f"registry.example.org/{name}:v7" for name in ("fedround-operator", "fedround-training")}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What Skaffold reads of a checkout, with a clinic's bundle in it, and Helm where it looks for programs."""
    for name in ("charts", "examples", "images"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "skaffold.yaml", tmp_path)
    (tmp_path / "bundle.yaml").write_text(yaml.safe_dump(BUNDLE))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").symlink_to(tools.helm(3))
    return tmp_path


def _render(checkout: Path, profile: str) -> list[Object]:
    output = checkout / "rendered.yaml"
    subprocess.run(
        [
            *(tools.skaffold(), "render", f"--profile={profile}", f"--output={output}", "--digest-source=tag"),
            *("--offline=true", "--interactive=false", "--update-check=false"),
            f"--images={','.join(f'{name}={image}' for name, image in IMAGES.items())}",
        ],
        cwd=checkout,
        env={"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", "HOME": str(checkout)},
        capture_output=True,
        check=True,
    )
    return [one for one in yaml.safe_load_all(output.read_text()) if one]


@pytest.mark.parametrize(("profile", "chart", "program"), [("hub", HUB, "operator"), ("clinic", CLINIC, "agent")])
def test_a_profile_renders_its_chart_with_the_images_that_were_built(
    checkout: Path, profile: str, chart: str, program: str
) -> None:
    objects = _render(checkout, profile)

    (container,) = [one for pod in pods(objects) for one in pod.containers if one["name"] == program]
    assert container["image"] == IMAGES["fedround-operator"]
    assert environment(container)["FEDROUND_IMAGE"] == IMAGES["fedround-training"]
    assert environment(container)["FEDROUND_NAMESPACE"] == NAMESPACES[chart]
