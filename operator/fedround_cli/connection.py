"""Which API server a command asks, by its options. Called by `hub` and by the commands of `fedround clinic`.

    HubError          the hub, or its store, cannot be asked, or does not have what is asked for

It works with the rights of the caller's kubeconfig. What a federation on this machine needs is imported only where
there is one, so that a person in a clinic needs the operator's packages alone.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from fedround_local.errors import LocalError
from fedround_operator.kit.api import KubeApi, connect
from fedround_operator.kit.errors import ApiUnreachable

# A person waits: longer than this is no answer.
_TIMEOUT_SECONDS = (5.0, 20.0)


class HubError(LocalError):
    """Says what cannot be had from a hub or another cluster, and what to do."""


@dataclass(frozen=True)
class Connection:
    """An API server, and what to do where it gives no answer."""

    api: KubeApi
    advice: str


def connect_cluster(options: argparse.Namespace, what: str = "hub") -> Connection:
    """The API server of `--state`, or of `--kubeconfig` and `--context`; `what` it is, for people.

    Raises:
        HubError: there is no way to it.
        StateUnusable: the folder holds no federation.
    """
    if options.state is not None:
        from fedround_local.federation.federation import ADMINISTRATOR, Federation  # noqa: PLC0415

        federation = Federation(options.state, print)
        federation.record()
        kubeconfig = federation.place.kubeconfig(ADMINISTRATOR)
        advice = f"start the federation with `{federation.place.up_command}`"
    else:
        kubeconfig = options.kubeconfig or Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
        advice = f"look whether it runs, and whether {kubeconfig} leads to it"
    try:
        return Connection(connect(kubeconfig, _TIMEOUT_SECONDS, options.context), advice)
    except ApiUnreachable as error:
        raise HubError(
            f"no {what} can be found ({str(error).removesuffix('.')}): give "
            f"{'--state DIR for a federation on this machine, or ' if what == 'hub' else ''}--kubeconfig FILE and "
            "--context NAME"
        ) from error
