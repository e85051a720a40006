"""The operator's side of fedround: `hub` runs rounds, `agent` does a clinic's part, `kit` is what both stand on."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("fedround")
except PackageNotFoundError:  # run from a source tree that was not installed
    __version__ = "0+unknown"
