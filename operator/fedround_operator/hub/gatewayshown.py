"""What certificate the hub's gateway shows, asked at its Service; for `kit.gatewaywatch`.

Not the file in its Secret, which the gateway may not have taken up.
"""

import ssl

from fedround_operator.kit.doors import opened
from fedround_operator.kit.pki import PkiError, read_certificate


def shown_certificate_end(service: str, name: str) -> float:
    """When the certificate ends that `service` shows to callers of `name` (both host:port), in Unix seconds.

    Nothing is verified, so that an end that has passed is told as well.

    Raises:
        OSError: it does not answer, or with no certificate that can be read.
    """
    try:
        shown = ssl.DER_cert_to_PEM_cert(_shown(service, name))
        return read_certificate(shown.encode()).validity.ends.timestamp()
    except PkiError as error:
        raise OSError(f"{service} shows no certificate that can be read: {error}") from error


def _shown(service: str, name: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with opened(service, context, shown_as=name) as door:
        return door.getpeercert(binary_form=True) or b""
