"""The contract between hub, clinics and Jobs: kinds, policy, Job inputs and reports, exit codes, object keys.

Both the operator and the training code import this package, and never each other. It imports pydantic only,
knows no client, no clock and no file, and every model in it is frozen.
"""

GROUP = "fedround.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
