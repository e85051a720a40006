"""What the clinic gets from the administrator: one file of values for the chart `fedround-clinic`. Pure.

It is of no use without the private key, which never leaves the clinic; but it holds a token, so it is not for all eyes.
"""

from dataclasses import dataclass

import yaml


@dataclass(frozen=True)
class Bundle:
    """A membership as a clinic needs it; PEM texts."""

    clinic: str
    gateway: str
    ca: str
    certificate: str
    token: str

    def text(self) -> str:
        """YAML, for `helm install -f`."""
        document = {
            "clinic": {"name": self.clinic},
            "hub": {
                "gateway": self.gateway,
                "ca": _Block(self.ca),
                "certificate": _Block(self.certificate),
                "token": self.token,
            },
        }
        head = (
            f"# Membership of clinic {self.clinic}: values for the chart fedround-clinic. It holds a token: keep it\n"
            "# as you keep a password. Without the private key, which never left the clinic, it opens nothing.\n"
        )
        return head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120)


class _Block(str):
    """Text that is written as it is, line by line."""


class _Dumper(yaml.SafeDumper):
    """Writes PEM texts so that a person recognises them."""


_Dumper.add_representer(
    _Block, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")
)
