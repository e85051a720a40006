"""Names that are legal and unusual: what reads as a number or a word of YAML stays a text, and Services get names."""

import pytest

from support.chart_policies import POLICIES
from support.charts import CLINIC, HUB, STRANGE, VARIANTS, Object, of_kind, rendered, template


def _first_names(objects: list[Object], kind: str) -> list[str]:
    return sorted(one["metadata"]["name"] for one in of_kind(objects, kind))


@pytest.mark.parametrize("major", [3, 4])
@pytest.mark.parametrize("installation", STRANGE)
def test_an_installation_with_strange_names_keeps_the_policies(installation: str, major: int) -> None:
    objects = STRANGE[installation].objects(major)

    for policy in POLICIES.values():
        policy(objects)


@pytest.mark.parametrize(
    ("release", "begins"),
    [
        ("fedround", "fedround"),
        ("hub-2026", "hub-2026"),
        ("a" * 53, "a" * 40),
        ("b" * 39 + "-c", "b" * 39),
        ("a.b.c", "a-b-c"),
        ("123", "fedround-123"),
        ("2026.11", "fedround-2026-11"),
        ("this-is-a-very-long-release-name-of-39c.xyz", "this-is-a-very-long-release-name-of-39c"),
    ],
)
def test_names_begin_with_the_releases_as_a_service_can_have_it(release: str, begins: str) -> None:
    """Usual ones are unchanged: an upgrade could not rename what is there."""
    objects = template(CLINIC, values=VARIANTS[CLINIC, "bundle"], release=release)

    assert _first_names(objects, "Service") == [f"{begins}-agent"]
    (agent,) = of_kind(objects, "Deployment")
    assert agent["spec"]["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": "fedround-clinic",
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/component": "agent",
    }


def test_the_names_of_a_hub_that_is_there_stay() -> None:
    objects = rendered(HUB, "trial")

    assert _first_names(objects, "Deployment") == ["fedround-gateway", "fedround-minio", "fedround-operator"]
    assert _first_names(objects, "ClusterRole") == ["fedround-system-fedround-operator"]
    assert {str(one["spec"]["selector"]["matchLabels"]) for one in of_kind(objects, "Deployment")} == {
        str(
            {
                "app.kubernetes.io/name": "fedround-hub",
                "app.kubernetes.io/instance": "fedround",
                "app.kubernetes.io/component": component,
            }
        )
        for component in ("gateway", "minio", "operator")
    }


@pytest.mark.parametrize("installation", ["hub: numbers", "clinic: numbers"])
def test_texts_that_are_numbers_are_noticed(installation: str) -> None:
    """The policy would see them: without it the tests above could not fail."""
    objects = STRANGE[installation].objects()
    (first, *_) = of_kind(objects, "Service")
    first["metadata"]["labels"]["app.kubernetes.io/instance"] = 123

    with pytest.raises(AssertionError, match=r"Service\.metadata\.labels\.app\.kubernetes\.io/instance"):
        POLICIES["texts are texts"](objects)
