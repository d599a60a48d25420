"""Public keys of senders: certificates of those that sign with RSA (whose key, who vouches, what it signed), and bare
elliptic-curve keys that a person pastes.

Every failure is a NotVerified. Trust comes from the Mozilla roots that ``certifi`` ships, or from the pasted key, never
from the message.
"""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Generator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from hub.contract.calls import Call, Reply
from hub.contract.errors import ConfigError, NotVerified

Certificate = x509.Certificate

MAX_CHAIN = 8  # certificates; public chains have two to four
KEPT = 86_400  # seconds that a published certificate is kept
MIN_KEY_BITS = 2048  # CA/Browser Forum Baseline Requirements, 6.1.5


def read_certificates(pem: bytes) -> list[Certificate]:
    """The certificates in a PEM text, the signer's own first. NotVerified when there is none, or absurdly many."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise NotVerified("The sender's certificate cannot be read.") from None
    if len(found) > MAX_CHAIN:
        raise NotVerified("The sender's certificate comes with too many others.")
    return found


def check_address(url: str, domain: str) -> None:
    """Raise NotVerified unless ``url`` is https on port 443 of a host under ``domain``, and nothing else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    is_plain = parts.netloc.lower() in (host, f"{host}:443")  # no user:password@
    is_theirs = re.fullmatch(r"(?:[a-z0-9-]+\.)*" + re.escape(domain), host)
    if not (parts.scheme == "https" and is_plain and port in (None, 443) and is_theirs):
        raise NotVerified(f"The certificate's address is not one of {domain}.", detail=url[:200])


def fetch_certificate(url: str, domain: str, at: datetime) -> Generator[Call, Reply, Certificate]:
    """The certificate that a sender publishes at ``url``, once checked: its address, and all of :func:`check_trusted`.

    Use it as ``certificate = yield from fetch_certificate(...)``. Raises NotVerified.
    """
    check_address(url, domain)
    reply = yield Call.get(url, authenticate=False, cache_seconds=KEPT)
    if not reply.ok:
        raise NotVerified("The sender's certificate could not be fetched.", detail=f"HTTP {reply.status}")
    chain = read_certificates(reply.body)
    check_trusted(chain, domain, at)
    return chain[0]


def check_trusted(chain: Sequence[Certificate], domain: str, at: datetime) -> None:
    """Raise NotVerified unless ``chain[0]`` was in force at ``at``, is named under ``domain`` and has a public root.

    ``chain[1:]`` are intermediates in any order, as the sender gives them.
    """
    leaf, others = chain[0], list(chain[1:])
    check_dates(leaf, at)
    name = _common_name(leaf)
    if not name.endswith(f".{domain}"):
        raise NotVerified(f"The certificate was not made out to {domain}.", detail=name[:100])
    if _has_alternative_names(leaf):
        _check_as_server(leaf, others, name, at)
    else:
        _check_links(leaf, others, at)


def check_dates(certificate: Certificate, at: datetime) -> None:
    """Raise NotVerified unless the certificate was in force at ``at``."""
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise NotVerified("The sender's certificate was not in force when the message arrived: it has expired.")


def check_rsa_sha256(message: bytes, signature: str, certificate: Certificate) -> None:
    """Raise NotVerified unless ``signature`` (base64) is the certificate's of ``message``: RSA PKCS#1 v1.5, SHA-256."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
        raise NotVerified("The sender's certificate does not hold an RSA key of at least 2048 bits.")
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        raise NotVerified(
            "The signature does not match: the body was changed on the way, or it was signed for somebody else."
        ) from None


def make_rsa_sha256(message: bytes, key_pem: bytes) -> str:
    """The signature (base64) that :func:`check_rsa_sha256` accepts. For test messages only: senders keep their own key."""
    key = load_pem_private_key(key_pem, password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("The key for test messages is not an RSA key.")
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def check_ecdsa_sha256(message: bytes, signature: str, public_keys: Sequence[str]) -> None:
    """Raise NotVerified unless ``signature`` (base64 of DER) of ``message`` was made by one of ``public_keys``.

    Those are base64 of DER (SubjectPublicKeyInfo), as senders show them: a PEM without its first and last line.
    """
    if not public_keys or not all(public_keys):
        raise NotVerified("No public key is set on this source. Paste the sender's.", reason="secret_not_set")
    if not any(_signed_by(text, message, signature) for text in public_keys):
        raise NotVerified("The signature does not match: the key is not the sender's, or the body was changed.")


def make_ecdsa_sha256(message: bytes, key_pem: bytes) -> str:
    """The signature that :func:`check_ecdsa_sha256` accepts. For test messages only: senders keep their own key."""
    key = load_pem_private_key(key_pem, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ConfigError("The key for test messages is not an elliptic-curve key.")
    return base64.b64encode(key.sign(message, ECDSA(SHA256()))).decode()


def _signed_by(public_key: str, message: bytes, signature: str) -> bool:
    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        key.verify(base64.b64decode(signature, validate=True), message, ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError):
        return False
    return True


@lru_cache(maxsize=1)
def public_roots() -> tuple[Certificate, ...]:
    """The root certificates that browsers trust (Mozilla's list, as shipped by ``certifi``)."""
    end = b"-----END CERTIFICATE-----\n"
    blocks = Path(certifi.where()).read_bytes().split(end)[:-1]
    return tuple(root for root in (_root(block + end) for block in blocks) if root is not None)


def _root(pem: bytes) -> Certificate | None:
    # A few old roots break RFC 5280 (a serial number of zero); cryptography warns today and will refuse them.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            return x509.load_pem_x509_certificate(pem)
    except (ValueError, CryptographyDeprecationWarning):
        return None


def _common_name(certificate: Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value).lower() if len(names) == 1 else ""


def _has_alternative_names(certificate: Certificate) -> bool:
    try:
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return False
    except ValueError:
        raise NotVerified("The sender's certificate cannot be read.") from None
    return True


def _check_as_server(leaf: Certificate, others: list[Certificate], name: str, at: datetime) -> None:
    try:
        policy = PolicyBuilder().store(Store(list(public_roots()))).time(at)
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf, others)
    except (VerificationError, ValueError) as error:
        raise NotVerified("No public authority vouches for the certificate.", detail=str(error)[:200]) from None


def _check_links(leaf: Certificate, others: list[Certificate], at: datetime) -> None:
    # cryptography's verifier insists on alternative names; a certificate without them is followed link by link.
    current = leaf
    for _ in range(MAX_CHAIN):
        if any(_issued(root, current) for root in public_roots() if _in_force(root, at)):
            return
        issuers = [other for other in others if other != current and _in_force(other, at) and _issued(other, current)]
        if not issuers:
            break
        current = issuers[0]
    raise NotVerified("No public authority vouches for the certificate.")


def _in_force(certificate: Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _issued(issuer: Certificate, subject: Certificate) -> bool:
    try:
        subject.verify_directly_issued_by(issuer)
        authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return authority
