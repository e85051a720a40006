"""What every API must do, said once: run on the fake of ``support.fake_api`` and on a real API server.

A subclass gives the fixtures ``api`` and ``namespace``: a namespace that exists, with nothing of these kinds in it,
on a server that serves fedround's kinds.
"""

import copy
from typing import Any

import pytest

from fedround_operator.kit.errors import AlreadyExists, Conflict, Invalid, NotFound
from fedround_operator.kit.resources import CLINIC_ROUNDS, LEASES, Object
from support.builders import make_clinic_round


def _lease(name: str, namespace: str, **labels: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"holderIdentity": "north", "leaseDurationSeconds": 40},
    }


def _part(namespace: str, name: str = "skin-2026-w48-5a6b7c8d") -> Object:
    made = make_clinic_round(name)
    made["metadata"] = {"name": name, "namespace": namespace}
    return made


class ApiContract:
    """The law."""

    def test_a_created_object_is_read_back_with_uid_version_and_time(self, api: Any, namespace: str) -> None:
        made = api.create(LEASES, namespace, _lease("agent", namespace))

        found = api.get(LEASES, namespace, "agent")

        assert found["metadata"]["uid"] == made["metadata"]["uid"] != ""
        assert found["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"] != ""
        assert found["metadata"]["creationTimestamp"].endswith("Z")
        assert found["spec"] == {"holderIdentity": "north", "leaseDurationSeconds": 40}

    def test_creating_a_name_twice_is_refused_as_already_there(self, api: Any, namespace: str) -> None:
        api.create(LEASES, namespace, _lease("agent", namespace))

        with pytest.raises(AlreadyExists):
            api.create(LEASES, namespace, _lease("agent", namespace))

    def test_what_is_not_there_is_not_found(self, api: Any, namespace: str) -> None:
        with pytest.raises(NotFound):
            api.get(LEASES, namespace, "agent")
        with pytest.raises(NotFound):
            api.patch(LEASES, namespace, "agent", {"spec": {"leaseDurationSeconds": 1}})

    def test_a_list_holds_what_the_labels_select_in_order_of_names(self, api: Any, namespace: str) -> None:
        for name, role in (("c", "train"), ("a", "train"), ("b", "fetch")):
            api.create(LEASES, namespace, _lease(name, namespace, role=role, part="fedround"))

        found = api.list(LEASES, namespace, {"role": "train", "part": "fedround"})

        assert [item["metadata"]["name"] for item in found] == ["a", "c"]

    def test_a_list_of_all_namespaces_holds_this_one_too(self, api: Any, namespace: str) -> None:
        api.create(LEASES, namespace, _lease("agent", namespace, only=namespace))

        found = api.list(LEASES, None, {"only": namespace})

        assert [item["metadata"]["name"] for item in found] == ["agent"]

    def test_a_list_holds_what_the_field_selector_selects(self, api: Any, namespace: str) -> None:
        for name in ("a", "b"):
            api.create(LEASES, namespace, _lease(name, namespace))

        found = api.list(LEASES, namespace, fields="metadata.name=b")

        assert [item["metadata"]["name"] for item in found] == ["b"]

    def test_a_merge_patch_changes_adds_and_removes_fields(self, api: Any, namespace: str) -> None:
        api.create(LEASES, namespace, _lease("agent", namespace, keep="1", drop="2"))

        patch = {"metadata": {"labels": {"drop": None, "add": "3"}}, "spec": {"leaseDurationSeconds": 41}}
        patched = api.patch(LEASES, namespace, "agent", patch)

        assert patched["metadata"]["labels"] == {"keep": "1", "add": "3"}
        assert patched["spec"] == {"holderIdentity": "north", "leaseDurationSeconds": 41}
        assert api.get(LEASES, namespace, "agent") == patched

    def test_a_patch_with_the_version_that_was_read_is_taken_once(self, api: Any, namespace: str) -> None:
        made = api.create(LEASES, namespace, _lease("agent", namespace))
        version = made["metadata"]["resourceVersion"]

        api.patch(
            LEASES, namespace, "agent", {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": "x"}}
        )

        with pytest.raises(Conflict):
            api.patch(
                LEASES, namespace, "agent", {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": "y"}}
            )
        assert api.get(LEASES, namespace, "agent")["spec"]["holderIdentity"] == "x"

    def test_a_patch_that_changes_nothing_leaves_the_version(self, api: Any, namespace: str) -> None:
        made = api.create(LEASES, namespace, _lease("agent", namespace))

        patched = api.patch(LEASES, namespace, "agent", {"spec": {"holderIdentity": "north"}})

        assert patched["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]

    def test_a_status_given_at_creation_is_dropped(self, api: Any, namespace: str) -> None:
        body = {**_part(namespace), "status": {"phase": "Submitted"}}

        made = api.create(CLINIC_ROUNDS, namespace, body)

        assert "phase" not in made.get("status", {})

    def test_the_status_is_written_through_its_subresource_only(self, api: Any, namespace: str) -> None:
        made = api.create(CLINIC_ROUNDS, namespace, _part(namespace))
        name = made["metadata"]["name"]

        api.patch(CLINIC_ROUNDS, namespace, name, {"status": {"phase": "Fetching"}})
        assert "phase" not in api.get(CLINIC_ROUNDS, namespace, name).get("status", {})

        patch = {"spec": {"suspended": True}, "status": {"phase": "Fetching"}}
        patched = api.patch(CLINIC_ROUNDS, namespace, name, patch, subresource="status")
        assert patched["status"]["phase"] == "Fetching"
        assert patched["spec"].get("suspended", False) is False

    def test_the_generation_counts_changes_of_the_spec_and_not_of_the_status(self, api: Any, namespace: str) -> None:
        made = api.create(CLINIC_ROUNDS, namespace, _part(namespace))
        name = made["metadata"]["name"]
        assert made["metadata"]["generation"] == 1

        api.patch(CLINIC_ROUNDS, namespace, name, {"status": {"phase": "Fetching"}}, subresource="status")
        assert api.get(CLINIC_ROUNDS, namespace, name)["metadata"]["generation"] == 1

        api.patch(CLINIC_ROUNDS, namespace, name, {"spec": {"suspended": True}})
        assert api.get(CLINIC_ROUNDS, namespace, name)["metadata"]["generation"] == 2

    def test_an_object_that_breaks_its_schema_is_invalid(self, api: Any, namespace: str) -> None:
        broken = _part(namespace)
        broken["spec"]["base"]["digest"] = "not a digest"

        with pytest.raises(Invalid):
            api.create(CLINIC_ROUNDS, namespace, broken)

    def test_a_deleted_object_is_gone_and_deleting_it_again_is_fine(self, api: Any, namespace: str) -> None:
        api.create(LEASES, namespace, _lease("agent", namespace))

        api.delete(LEASES, namespace, "agent")
        api.delete(LEASES, namespace, "agent")

        with pytest.raises(NotFound):
            api.get(LEASES, namespace, "agent")

    def test_what_is_read_and_written_is_a_copy(self, api: Any, namespace: str) -> None:
        body = _lease("agent", namespace)
        before = copy.deepcopy(body)

        made = api.create(LEASES, namespace, body)
        made["spec"]["holderIdentity"] = "somebody else"

        assert body == before
        assert api.get(LEASES, namespace, "agent")["spec"]["holderIdentity"] == "north"
