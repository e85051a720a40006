"""How the address of a gateway or store is written: host:port, as patterns that command line and charts have in common.

No pydantic here: the command line reads them before it knows which command is called.
"""

# A name or an IPv4 address. No IPv6 address: the S3 client takes its brackets away where the port is the scheme's own,
# and URLs that were signed for such a gateway lead nowhere. A name that stands for one will do.
HOST = r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?"
PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HOST_AND_PORT_PATTERN = f"^{HOST}:{PORT}$"
