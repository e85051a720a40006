"""What can be wrong with keys, requests and certificates; the message is a sentence for a person.

PkiError
  RequestRefused          a certificate request that the authority will not sign
  CertificateUnusable     no certificate or key, or not the one that is needed
  AuthorityUnusable       no key of an authority, or it does not open
"""


class PkiError(Exception):
    """The root."""


class RequestRefused(PkiError):
    pass


class CertificateUnusable(PkiError):
    pass


class AuthorityUnusable(PkiError):
    pass
