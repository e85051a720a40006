"""Reading a policy: from the data of a parsed YAML file to a checked ClinicPolicy, with errors that name the field."""

from typing import Any

from pydantic import ValidationError

from fedround_api.kinds.policy import ClinicPolicy


class PolicyInvalid(ValueError):
    """The policy file does not say what a policy must say; the message names each field."""


def read_policy(data: Any) -> ClinicPolicy:
    """The policy in parsed YAML.

    Raises:
        PolicyInvalid: with one line for each wrong field.
    """
    try:
        return ClinicPolicy.model_validate(data)
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, e['loc'])) or 'policy'}: {e['msg']}" for e in error.errors())
        raise PolicyInvalid("; ".join(lines)) from error
