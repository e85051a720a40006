"""CustomResourceDefinitions made from the pydantic kinds: structural OpenAPI v3 schemas with CEL rules.

What pydantic emits is not what an API server accepts ("Structural schemas" in the Kubernetes documentation):
references are put in place, optional values lose their null, and what is not structural is dropped.
"""

from typing import Any

from fedround_api import GROUP, VERSION
from fedround_api.fields import NAME_PATTERN, Part
from fedround_api.kinds import KINDS, Kind
from fedround_api.kinds.meta import Column, Presentation

_KEPT = (
    "type",
    "format",
    "description",
    "enum",
    "default",
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "maxProperties",
)


class NotStructural(TypeError):
    """A kind uses a construct that no structural schema can express."""


def structural(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The structural schema for one node of a pydantic JSON schema."""
    node = _resolved(schema, definitions)
    result = {key: node[key] for key in _KEPT if key in node}
    result.update({key: value for key, value in node.items() if key.startswith("x-kubernetes-")})
    if "type" not in result:
        raise NotStructural(f"a schema without a type: {schema}")
    if "properties" in node:
        required = node.get("required", [])
        result["properties"] = {
            name: _property(part, definitions, optional=name not in required)
            for name, part in node["properties"].items()
        }
        if required:
            result["required"] = required
    elif isinstance(extra := node.get("additionalProperties"), dict):
        result["additionalProperties"] = structural(extra, definitions)
    if "items" in node:
        result["items"] = structural(node["items"], definitions)
    return result


def _property(schema: dict[str, Any], definitions: dict[str, Any], *, optional: bool) -> dict[str, Any]:
    """The schema of a field. One whose fields all have defaults is there even when nobody wrote it.

    Only so do its defaults show in the object, and only so can a rule compare it with what it was before.
    """
    made = structural(schema, definitions)
    if optional and "anyOf" not in schema and "properties" in made and "required" not in made:
        made.setdefault("default", {})
    return made


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The node with its reference in place and without the null of an optional value; its own words win."""
    own = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
    if "anyOf" in schema:
        branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
        if len(branches) != 1:
            raise NotStructural(f"a choice between types: {schema}")
        own = {key: value for key, value in own.items() if not (key == "default" and value is None)}
        return {**_resolved(branches[0], definitions), **own}
    if "$ref" in schema:
        return {**_resolved(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions), **own}
    return own


def _part_schema(part: type[Part]) -> dict[str, Any]:
    raw = part.model_json_schema(by_alias=True)
    return structural(raw, raw.get("$defs", {}))


def _column(column: Column) -> dict[str, Any]:
    optional = {"priority": column.priority, "description": column.description}
    return {
        "name": column.name,
        "jsonPath": column.json_path,
        "type": column.type,
        **{key: value for key, value in optional.items() if value},
    }


def _names(kind: type[Kind], shown: Presentation) -> dict[str, Any]:
    # A short name equal to the singular is served already and would be refused as a conflict.
    short_names = [name for name in shown.short_names if name != shown.singular]
    return {
        "kind": kind.__name__,
        "listKind": f"{kind.__name__}List",
        "plural": shown.plural,
        "singular": shown.singular,
        **({"shortNames": short_names} if short_names else {}),
        "categories": ["fedround"],
    }


def _object_schema(kind: type[Kind]) -> dict[str, Any]:
    limit = kind.presentation.name_limit
    fields = kind.model_fields
    spec, status = (_part_schema(fields[name].annotation) for name in ("spec", "status"))  # type: ignore[arg-type]
    if not spec.get("required"):
        spec["default"] = {}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip(),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
        "x-kubernetes-validations": [
            {
                "rule": f"size(self.metadata.name) <= {limit} && self.metadata.name.matches('{NAME_PATTERN}')",
                "message": f"metadata.name must be a DNS label of at most {limit} characters (a-z, 0-9 and -)",
            }
        ],
    }


def definition(kind: type[Kind]) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    shown = kind.presentation
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in shown.columns],
        "schema": {"openAPIV3Schema": _object_schema(kind)},
    }
    if shown.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in shown.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{shown.plural}.{GROUP}",
            "labels": {"app.kubernetes.io/part-of": "fedround"},
        },
        "spec": {"group": GROUP, "scope": "Namespaced", "names": _names(kind, shown), "versions": [version]},
    }


def definitions() -> list[dict[str, Any]]:
    """All CustomResourceDefinitions of the group."""
    return [definition(kind) for kind in KINDS]
