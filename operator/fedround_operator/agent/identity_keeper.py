"""Keeps the clinic's identity: reads its Secret, takes over what is newer, and lays it out for the client of the hub.

    Secret (the clinic's cluster)   tls.key, tls.crt, ca.crt, next.key: the one place where keys are kept
    membership folder               ca.crt, tls.crt, token: the administrator's bundle, mounted
    identity folder                 current -> <digest>/: tls.key, tls.crt, ca.crt as files, in memory only

One thread looks every ten seconds; the heartbeat carries requests to the hub's Lease and brings answers from there. A
write of the Secret is by compare-and-swap, since people write it too (`fedround clinic request`, `rotate`).
"""

import base64
import binascii
import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from fedround_api import names
from fedround_operator.agent import identity as identities
from fedround_operator.agent.identity import Identity, Membership
from fedround_operator.kit import metrics, pki
from fedround_operator.kit.errors import ApiError, Conflict, NotFound
from fedround_operator.kit.privatefiles import write_private
from fedround_operator.kit.resources import SECRETS, Object, Resource
from fedround_operator.kit.validity import Validity

log = logging.getLogger(__name__)

# How long a new bundle, or a rotation that a person asks for, waits at most; each look is one read of one object.
LOOK_SECONDS = 10.0
CURRENT = "current"
FILES = (identities.KEY, identities.CERTIFICATE, identities.CA)


class SecretApi(Protocol):
    """What keeping needs of the clinic's API server."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object: ...


@dataclass(frozen=True)
class IdentityPlaces:
    """Where the identity comes from, and where it is laid out."""

    clinic: str
    namespace: str
    secret: str
    membership: Path
    folder: Path


class IdentityKeeper:
    """The identity of one clinic."""

    def __init__(
        self,
        local: SecretApi,
        places: IdentityPlaces,
        *,
        clock: Callable[[], datetime],
        make_key: Callable[[], bytes] = pki.new_key,
    ) -> None:
        self._local, self._places, self._clock, self._make_key = local, places, clock, make_key
        self._wake = threading.Event()
        self._answer: str | None = None
        self._refused: str | None = None
        self._asking: tuple[bytes | None, dict[str, str | None]] = (None, {})
        self._told = ""
        self._validity: Validity | None = None

    def run(self, stop: threading.Event) -> None:
        """Look now and every ten seconds, or when an answer came, until stopped."""
        while not stop.is_set():
            self.look()
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def await_first(self, stop: threading.Event) -> bool:
        """Whether there is an identity: True once there is, False if `stop` was set before."""
        while not stop.is_set():
            if self.look():
                return True
            stop.wait(LOOK_SECONDS / 5)
        return False

    def look(self) -> bool:
        """Take over what is newer; whether the clinic has an identity. What is in the way is told once."""
        try:
            found = self._local.get(SECRETS, self._places.namespace, self._places.secret)
            identity = identities.read_identity(_content(found))
            if identity is None:
                return self._tell("it has no tls.key: call `fedround clinic request`")
            identity = self._brought_up_to_date(found, identity)
        except NotFound:
            return self._tell("there is no such Secret: call `fedround clinic request`")
        except Conflict:
            self._wake.set()
            return False
        except (ApiError, pki.PkiError) as error:
            return self._tell(str(error))
        self._told = ""
        self._lay_out(identity)
        self._ask(identity)
        return True

    def unusable(self) -> str:
        """Why the hub cannot be entered with what is laid out; empty where it can."""
        if self._validity is None:
            return f"no usable certificate: {self._told or 'the Secret was not read yet'}"
        holds = self._validity.holds(self._clock())
        return "" if holds else f"the certificate holds only from {self._validity.begins} to {self._validity.ends}"

    def lease_annotations(self) -> dict[str, str | None]:
        """What the next renewal of the Lease carries for the administrator; None takes an annotation away."""
        return self._asking[1]

    def offered(self, lease: Object) -> None:
        """Note what the administrator has put into the Lease, for the next look."""
        annotations = lease.get("metadata", {}).get("annotations")
        answer = annotations.get(names.RENEWED_CERTIFICATE_ANNOTATION) if isinstance(annotations, dict) else None
        # Whoever answers for the hub may send anything. PEM is ASCII.
        if not isinstance(answer, str) or not answer.isascii():
            return
        if answer != self._answer and self._asking[0] is not None:
            self._answer = answer
            self._wake.set()

    def _brought_up_to_date(self, found: Object, before: Identity) -> Identity:
        now, clinic = self._clock(), self._places.clinic
        identity, membership = before, self._membership()
        if membership is not None:
            identity = identities.with_membership(identity, membership, clinic, now)
        elif identity.certificate is None:
            raise pki.CertificateUnusable(f"the bundle's tls.crt and ca.crt are not in {self._places.membership} yet")
        identity = self._renewed(identity, now)
        if identities.needs_next_key(identity, now):
            identity = Identity(identity.key, identity.certificate, identity.ca, self._make_key())
            log.info("asking for the next certificate clinic=%s", clinic)
        if identity != before:
            self._save(found, identity)
        return identity

    def _renewed(self, identity: Identity, now: datetime) -> Identity:
        answer = self._answer
        if answer is None or identity.next_key is None:
            return identity
        try:
            renewed = identities.with_renewal(identity, answer.encode(), self._places.clinic, now)
        except pki.PkiError as error:
            # Whoever may write the Lease may offer anything: what was asked for still stands. It is judged again at the
            # next look, since a clock may have been wrong, and told of once.
            if answer != self._refused:
                log.warning("certificate in the lease refused: %s", error)
            self._refused = answer
            return identity
        log.info("certificate renewed sha256=%s", pki.fingerprint(answer.encode()))
        return renewed

    def _membership(self) -> Membership | None:
        try:
            certificate = (self._places.membership / identities.CERTIFICATE).read_bytes()
            return Membership(certificate, (self._places.membership / identities.CA).read_bytes())
        except OSError:
            return None

    def _save(self, found: Object, identity: Identity) -> None:
        """Everything in one write: a Job never starts with a key and the certificate of another."""
        data = {
            identities.KEY: _encoded(identity.key),
            identities.CERTIFICATE: _encoded(identity.certificate),
            identities.CA: _encoded(identity.ca),
            identities.NEXT_KEY: _encoded(identity.next_key),
        }
        body = {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"]}, "data": data}
        self._local.patch(SECRETS, self._places.namespace, self._places.secret, body)

    def _lay_out(self, identity: Identity) -> None:
        """Files in a folder of their own, then the link: whoever follows the link once has parts that fit together."""
        certificate, ca = identity.certificate or b"", identity.ca or b""
        self._validity = pki.read_certificate(certificate).validity
        metrics.CERTIFICATE_END.set(self._validity.ends.timestamp())
        name = sha256(b"\0".join((identity.key, certificate, ca))).hexdigest()[:16]
        folder, link = self._places.folder / name, self._places.folder / CURRENT
        if link.is_symlink() and link.readlink() == Path(name):
            return
        before = link.readlink() if link.is_symlink() else None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file, content in zip(FILES, (identity.key, certificate, ca), strict=True):
            write_private(folder / file, content)
        part = link.with_suffix(".part")
        part.unlink(missing_ok=True)
        part.symlink_to(name)
        part.replace(link)
        log.info("certificate in use sha256=%s", pki.fingerprint(certificate))
        # The one before stays for connections that are just being made.
        for old in self._places.folder.iterdir():
            if not old.is_symlink() and old.name not in (name, str(before)):
                shutil.rmtree(old)

    def _ask(self, identity: Identity) -> None:
        key = identity.next_key
        if key != self._asking[0] or not self._asking[1]:
            self._asking = (key, identities.renewal_request(identity, self._places.clinic))

    def _tell(self, why: str) -> bool:
        if why != self._told:
            log.warning("no usable certificate secret=%s/%s: %s", self._places.namespace, self._places.secret, why)
        self._told = why
        return False


def _content(secret: Object) -> Mapping[str, bytes]:
    try:
        return {name: base64.b64decode(value, validate=True) for name, value in (secret.get("data") or {}).items()}
    except (binascii.Error, ValueError) as error:
        raise pki.CertificateUnusable("its data are no base64") from error


def _encoded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
