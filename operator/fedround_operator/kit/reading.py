"""From an object of the API server to a kind of the contract."""

from typing import TypeVar

from pydantic import ValidationError

from fedround_api.kinds import Kind
from fedround_operator.kit.errors import ObjectUnreadable
from fedround_operator.kit.resources import Object

K = TypeVar("K", bound=Kind)


def read_kind(kind: type[K], found: Object) -> K:
    """The object as its kind.

    Raises:
        ObjectUnreadable: it was written under a schema that this version does not understand.
    """
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        name = found.get("metadata", {}).get("name")
        raise ObjectUnreadable(
            f"{kind.__name__} {name}: {error.errors()[0]['loc']} {error.errors()[0]['msg']}"
        ) from error
