"""Whether a clinic can enter its hub: the checks of certificate, gateway, clock, hub and store, step by step.

Called by `check`. They use what the agent and its Jobs use: the Secret with key and certificate, the token of the
membership, and one address. Nothing is written anywhere.
"""

import email.utils
import http.client
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fedround_api.checks import Check, CheckFailed, Noted
from fedround_api.names import clinic_namespace
from fedround_operator.kit import pki
from fedround_operator.kit.api import Credentials, connect_with
from fedround_operator.kit.checks import TIMEOUT_SECONDS
from fedround_operator.kit.doors import host_and_port
from fedround_operator.kit.errors import ApiError, Forbidden
from fedround_operator.kit.resources import CLINIC_ROUNDS

#: Which check needs which: there is no use in knocking at a door that cannot be found.
NEEDS = {
    "connection": "address",
    "tls": "connection",
    "clock": "tls",
    "hub": "tls",
    "store": "tls",
}
# Agents renew their Lease every 10 s for 40 s, by their own clock: from 25 s behind on, a renewal may be over when it
# arrives, and the hub takes the clinic for away. Half of a second is lost on the way already.
LARGEST_SKEW = timedelta(seconds=20)
NOTED_SKEW = timedelta(seconds=5)
# OpenSSL's numbers for a certificate that is not valid yet, or no longer.
_OUT_OF_TIME = (9, 10)
# What the gateway refuses says whose it is: that of the hub's Caddyfile names the bucket.
_BUCKET = re.compile(r"opens /([a-z0-9.-]+)/clinics/")


@dataclass(frozen=True)
class Reply:
    """An answer of the gateway; `skew` is how far this machine's clock is ahead of the gateway's."""

    status: int
    text: str
    skew: timedelta | None


@dataclass(frozen=True)
class Entrance:
    """The way of one clinic to its hub. `certificate` and `membership` are folders of mounted Secrets."""

    clinic: str
    gateway: str
    certificate: Path
    membership: Path
    clock: Callable[[], datetime]

    def checks(self) -> dict[str, Check]:
        """All of them by name, in their order; NEEDS says which need which."""
        return {
            "certificate": self.check_certificate,
            "address": self.check_address,
            "connection": self.check_connection,
            "tls": self.check_tls,
            "clock": self.check_clock,
            "hub": self.check_hub,
            "store": self.check_store,
        }

    def check_certificate(self) -> str | Noted:
        """That the certificate is this clinic's, for the key beside it, by the federation's authority, valid now."""
        key, certificate, authority = (self._file(name) for name in ("tls.key", "tls.crt", "ca.crt"))
        now = self.clock()
        try:
            seen = pki.require_clinic_certificate(
                certificate, clinic=self.clinic, key_sha256=pki.key_digest(key), ca_pem=authority, now=now
            )
        except pki.PkiError as error:
            raise CheckFailed(
                f"{error}. Install the bundle that the administrator sent for this clinic's present request, or call "
                f"`fedround clinic request {self.clinic}` again and send the file"
            ) from error
        left = f"valid for {(seen.validity.ends - now).days} more days, until {seen.validity.ends:%Y-%m-%d %H:%M} UTC"
        if seen.validity.renew_at <= now:
            return Noted(f"{left}: the agent has asked for the next one; the network's administrator has to approve it")
        return left

    def check_address(self) -> str:
        """That the gateway's name leads to an address."""
        try:
            host, port = host_and_port(self.gateway)
        except OSError as error:
            raise CheckFailed(f"hub.gateway: {error}") from error
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise CheckFailed(
                f"{host} leads to no address ({error.strerror}): look at the name in hub.gateway, and whether the "
                "chart's networkPolicy.dns names who answers names in this cluster"
            ) from error
        return f"{host} is {', '.join(sorted({str(one[4][0]) for one in found}))}"

    def check_connection(self) -> str:
        """That the gateway takes a connection."""
        try:
            socket.create_connection(host_and_port(self.gateway), timeout=TIMEOUT_SECONDS).close()
        except OSError as error:
            raise CheckFailed(
                f"{self.gateway} takes no connection ({error}): let the firewall pass TCP to it, look at "
                "networkPolicy.gateway of the chart, and ask the network's administrator whether the gateway runs"
            ) from error
        return f"{self.gateway} takes connections"

    def check_tls(self) -> str:
        """That the gateway proves who it is, and takes this clinic's certificate."""
        found = self._reply()
        if "certificate is revoked" in found.text:
            raise CheckFailed(
                "the gateway refuses this clinic's certificate, which is revoked: ask the network's administrator why; "
                f"a new key (`fedround clinic request {self.clinic} --new-key`) is the only way back in"
            )
        if "names no clinic" in found.text:
            raise CheckFailed("the gateway says that the certificate names no clinic: install the clinic's own bundle")
        return f"{self.gateway} proves who it is, and takes the clinic's certificate"

    def check_clock(self) -> str | Noted:
        """That this machine's clock and the gateway's agree."""
        return judge_skew(self._reply().skew)

    def check_hub(self) -> str:
        """That the hub lets this clinic in and tells its assignments."""
        files = {name: str(self._path(name)) for name in ("ca.crt", "tls.crt", "tls.key")}
        token = self._file("token").decode().strip()
        try:
            api = connect_with(
                Credentials(f"https://{self.gateway}", files["ca.crt"], files["tls.crt"], files["tls.key"], token)
            )
            parts = api.list(CLINIC_ROUNDS, clinic_namespace(self.clinic))
        except Forbidden as error:
            raise CheckFailed(f"the hub refuses this clinic: {error}. Ask the network's administrator") from error
        except ApiError as error:
            raise CheckFailed(f"{error}. Look at the address, and at what your firewall lets out") from error
        return f"{self.gateway} lets {self.clinic} in; it has a part in {len(parts)} rounds"

    def check_store(self) -> str:
        """That the gateway leads to the object store, which then refuses, as nothing was signed."""
        reply = self._reply()
        bucket = _BUCKET.search(reply.text)
        if bucket is None:
            raise CheckFailed(
                f"{self.gateway} does not answer as a gateway of fedround does (HTTP {reply.status}): look at "
                "the address, and whether a proxy stands in between"
            )
        found = self._ask(f"/{bucket[1]}/published/preflight?X-Amz-Signature=none")
        if found.status >= 500:
            raise CheckFailed(f"{found.text.strip()} (HTTP {found.status}) Ask the network's administrator")
        if found.text.startswith("Refused"):
            raise CheckFailed("the gateway lets nothing through to the object store: ask the network's administrator")
        return f"the object store behind {self.gateway} answers"

    def _reply(self) -> Reply:
        """What the gateway says now to this clinic of a path that nobody may enter."""
        return self._ask("/preflight")

    def _ask(self, target: str) -> Reply:
        host, port = host_and_port(self.gateway)
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=self._context())
        try:
            asked = self.clock()
            connection.request("GET", target)
            answer = connection.getresponse()
            said = answer.read(4096).decode(errors="replace")
            return Reply(answer.status, said, skew_of(answer.headers.get("Date"), asked, self.clock()))
        except ssl.SSLCertVerificationError as error:
            raise CheckFailed(self._distrust(host, error)) from error
        except (ssl.SSLError, ConnectionError, http.client.HTTPException) as error:
            raise CheckFailed(
                f"the gateway broke off when this clinic's certificate was shown ({error}): it is of another "
                "federation, or over; or what answers is no gateway"
            ) from error
        except OSError as error:
            raise CheckFailed(f"{self.gateway} does not answer ({error})") from error
        finally:
            connection.close()

    def _distrust(self, host: str, error: ssl.SSLCertVerificationError) -> str:
        what = f"{host} does not prove who it is: {error.verify_message}"
        if error.verify_code in _OUT_OF_TIME:
            return f"{what}. Here it is {self.clock():%Y-%m-%d %H:%M} UTC: set the clock if that is wrong"
        return (
            f"{what}. If something between here and there opens TLS, let the gateway's address pass unopened; else ask "
            "the network's administrator for a bundle with the authority of the gateway's certificate"
        )

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=str(self._path("ca.crt")))
            context.load_cert_chain(self._path("tls.crt"), self._path("tls.key"))
        except OSError as error:  # an SSLError too
            raise CheckFailed(f"key, certificate and authority cannot be used together ({error})") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    def _path(self, name: str) -> Path:
        """Where a file is. The agent has taken certificate and authority out of the membership into the Secret, but a
        pod that was started before sees them there up to a minute and a half later."""
        own = self.certificate / name
        return own if own.exists() else self.membership / name

    def _file(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except OSError as error:
            raise CheckFailed(
                f"{name} cannot be read ({error.strerror}): `fedround clinic request {self.clinic}` makes the key, the "
                "administrator's bundle brings the token, and with it the agent keeps certificate and authority"
            ) from error


def skew_of(date: str | None, asked: datetime, answered: datetime) -> timedelta | None:
    """How far the clock that said `asked` and `answered` is ahead of one that wrote `date` (RFC 9110) in between.

    `date` has whole seconds: within one, and half of the way there and back, nobody knows.
    """
    try:
        told = email.utils.parsedate_to_datetime(date or "")
    except ValueError:
        return None
    if told.tzinfo is None:
        return None
    ahead, behind = asked - (told + timedelta(seconds=1)), told - answered
    if ahead > timedelta(0):
        return ahead
    return -behind if behind > timedelta(0) else timedelta(0)


def judge_skew(skew: timedelta | None) -> str | Noted:
    """What a difference of the clocks means. Raises CheckFailed for one with which a clinic cannot take part."""
    if skew is None:
        return Noted("the gateway tells no time: nothing is known of this machine's clock")
    seconds = abs(skew).total_seconds()
    text = f"this machine's clock is {seconds:.0f} s {'ahead of' if skew > timedelta(0) else 'behind'} the gateway's"
    if abs(skew) > LARGEST_SKEW:
        raise CheckFailed(
            f"{text}: let it follow a time server. The hub takes a clinic that is behind for away, and one that is "
            "ahead breaks off its training too early"
        )
    if abs(skew) > NOTED_SKEW:
        return Noted(f"{text}: let it follow a time server")
    return "this machine's clock and the gateway's agree"
