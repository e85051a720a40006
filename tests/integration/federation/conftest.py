"""One running federation for all tests of this folder."""

from support.federation_fixture import mended, network, undisturbed

__all__ = ["mended", "network", "undisturbed"]
