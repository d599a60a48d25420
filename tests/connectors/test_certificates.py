"""Certificates: only a chain up to a public root, in force and made out to the right name, is trusted."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from authorities import Party
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from senders import NOW

from hub.contract import NotVerified
from hub.toolkit import certificates
from hub.toolkit.certificates import (
    check_ecdsa_sha256,
    check_rsa_sha256,
    check_trusted,
    make_ecdsa_sha256,
    public_roots,
    read_certificates,
)

NAME = "signer.paypal.com"
ROOT = Party("Root", ca=True)
MIDDLE = Party("Middle", ROOT, ca=True)
LEAF = Party(NAME, MIDDLE)
BARE = Party(NAME, MIDDLE, san=False)
PAST = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "public_roots", lambda: (ROOT.certificate,))


def check(*chain: Party, at: datetime = NOW) -> None:
    check_trusted([party.certificate for party in chain], "paypal.com", at)


@pytest.mark.parametrize("leaf", [LEAF, BARE], ids=["with alternative names", "without"])
def test_a_chain_up_to_a_root_is_trusted(leaf: Party) -> None:
    check(leaf, MIDDLE)
    check(leaf, ROOT, MIDDLE)


@pytest.mark.parametrize("san", [True, False], ids=["with alternative names", "without"])
@pytest.mark.parametrize(
    "chain",
    [
        lambda san: [Party(NAME, san=san)],
        lambda san: [Party(NAME, MIDDLE, san=san)],
        lambda san: [Party(NAME, Party("Elsewhere", ca=True), san=san), MIDDLE],
        lambda san: [Party(NAME, Party("No authority", MIDDLE), san=san), MIDDLE],
        lambda san: [Party(NAME, Party("Middle", ca=True), san=san), MIDDLE],
        lambda san: [Party(NAME, late := Party("Late", ROOT, ca=True, valid=PAST), san=san), late],
        lambda san: [Party(NAME, MIDDLE, san=san, valid=PAST), MIDDLE],
        lambda san: [Party("paypal.com.evil.example", MIDDLE, san=san), MIDDLE],
        lambda san: [Party("evilpaypal.com", MIDDLE, san=san), MIDDLE],
    ],
    ids=[
        "self-signed",
        "middle missing",
        "unknown root",
        "issued by a leaf",
        "same issuer name",
        "middle expired",
        "expired",
        "other domain",
        "look-alike",
    ],
)
def test_any_other_chain_is_refused(chain: "type[list[Party]]", san: bool) -> None:
    parties: Sequence[Party] = chain(san)
    with pytest.raises(NotVerified):
        check(*parties)


def test_a_certificate_is_refused_before_it_comes_into_force() -> None:
    with pytest.raises(NotVerified):
        check(LEAF, MIDDLE, at=datetime(2025, 12, 31, tzinfo=UTC))


def test_a_short_key_is_refused() -> None:
    weak = Party(NAME, bits=1024)
    with pytest.raises(NotVerified):
        check_rsa_sha256(b"text", weak.sign(b"text"), weak.certificate)


@pytest.mark.parametrize("signature", ["", "not base64", "AAAA", LEAF.sign(b"other"), MIDDLE.sign(b"text")])
def test_a_signature_of_another_text_or_key_is_refused(signature: str) -> None:
    check_rsa_sha256(b"text", LEAF.sign(b"text"), LEAF.certificate)
    with pytest.raises(NotVerified):
        check_rsa_sha256(b"text", signature, LEAF.certificate)


@pytest.mark.parametrize("pem", [b"", b"<html>", LEAF.pem[:300], LEAF.pem * 20])
def test_what_is_no_short_list_of_certificates_is_refused(pem: bytes) -> None:
    assert len(read_certificates(LEAF.pem + MIDDLE.pem)) == 2
    with pytest.raises(NotVerified):
        read_certificates(pem)


def test_the_public_roots_are_those_of_browsers() -> None:
    assert len(public_roots()) > 80
    assert ROOT.certificate not in public_roots()


def test_an_elliptic_curve_signature_counts_only_for_its_message_and_key():
    key, other = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    public, stranger = (
        base64.b64encode(each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
        for each in (key, other)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signature = make_ecdsa_sha256(b"message", pem)
    check_ecdsa_sha256(b"message", signature, [stranger, public])
    for message, given, keys in (
        (b"another", signature, [public]),
        (b"message", signature, [stranger]),
        (b"message", signature, []),
        (b"message", signature, [""]),
        (b"message", signature, ["no key"]),
        (b"message", signature[:-4], [public]),
        (b"message", "é", [public]),
    ):
        with pytest.raises(NotVerified):
            check_ecdsa_sha256(message, given, keys)
