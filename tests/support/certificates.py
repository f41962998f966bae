"""Certificates of servers that tests make."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server of a test")])
_AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, as PEM files.

    Attributes:
        file: The certificate.
        key: Its private key.
        authority: The certificate to trust: of the authority that signed it, or itself.
    """

    file: Path
    key: Path
    authority: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the context of a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(
    directory: Path,
    *,
    names: Sequence[str] = ("127.0.0.1", "localhost"),
    days: tuple[int, int] = (-1, 1),
    by_authority: bool = False,
) -> Certificate:
    """Make a certificate.

    Args:
        directory: The directory for its files.
        names: The hosts that it is for.
        days: The days from now when it begins to be valid, and when it ends.
        by_authority: Whether an authority signs it. Else it is signed by itself.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, signer = _NAME, key
    authority = directory / "certificate.pem"
    if by_authority:
        issuer, signer = _AUTHORITY, ec.generate_private_key(ec.SECP256R1())
        authority = directory / "authority.pem"
        root = _builder(_AUTHORITY, issuer, signer, signer, (-1, 1), is_authority=True)
        authority.write_bytes(root.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    alternatives = [
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
    ]
    made = _builder(_NAME, issuer, key, signer, days, is_authority=False)
    made = made.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate = Certificate(
        file=directory / "certificate.pem", key=directory / "key.pem", authority=authority
    )
    certificate.file.write_bytes(made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    certificate.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    days: tuple[int, int],
    *,
    is_authority: bool,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    public = key.public_key()
    # The extensions are those that Python 3.13 and later ask for.
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
