"""What an API server has answered: an object, the objects of a list, names, or a refusal. Pure.

Nothing of their shape is taken on trust: the server of another cluster may be in anybody's hands.
"""

import json
from typing import Any

from fedround_operator.kit.errors import (
    ApiError,
    ApiRefused,
    ApiUnreachable,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)
from fedround_operator.kit.resources import Object

_REFUSALS: dict[int, type[ApiRefused]] = {401: Forbidden, 403: Forbidden, 404: NotFound, 409: Conflict, 422: Invalid}
_STRANGER = "what answered is no API server"


def read_object(request: str, content: str | bytes) -> Object:
    """The object in an answer, with metadata that are an object too, or none.

    Raises:
        ApiUnreachable: it is something else.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ApiUnreachable(f"{request}: {_STRANGER}: it sent no JSON") from error
    if not _is_object(found):
        raise ApiUnreachable(f"{request}: {_STRANGER}: it sent no object")
    return dict(found)


def read_items(page: Object) -> list[Object]:
    """The objects of a list, each with a name and a UID.

    Raises:
        ApiUnreachable: something else is among them.
    """
    items = page.get("items") or []
    if not isinstance(items, list) or not all(_is_object(one) and _has_identity(one) for one in items):
        raise ApiUnreachable(f"{_STRANGER}: it listed something that is no object")
    return items


def read_names(listed: Any) -> set[str]:
    """The names in a list of discovery; what has none is passed over."""
    known = listed if isinstance(listed, list) else []
    return {str(one["name"]) for one in known if _is_object(one) and "name" in one}


def refusal(request: str, status: int, body: str | bytes | None) -> ApiError:
    """The error that says what to do about an answer that is no success."""
    text = f"{request}: {status} {_message(body)}"
    if status in _REFUSALS:
        return _REFUSALS[status](text)
    if status == 429 or status >= 500 or not status:
        return ApiUnreachable(text)
    return ApiRefused(text)


def _is_object(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("metadata", {}), dict)


def _has_identity(found: Object) -> bool:
    metadata = found.get("metadata", {})
    return all(isinstance(metadata.get(name), str) for name in ("name", "uid"))


def _message(body: str | bytes | None) -> str:
    try:
        return str(json.loads(body or "{}").get("message", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""
