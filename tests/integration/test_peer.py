"""A peer over TLS is one whose certificate holds."""

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.peer import Limits, Peer, PeerError

LIMITS = Limits(silence_ms=5000, exchange_ms=5000, answer_bytes=1000)


@pytest.mark.integration
async def test_a_peer_whose_certificate_nobody_vouches_for_is_not_asked(tmp_path: Path) -> None:
    asked = []
    server = await asyncio.start_server(
        lambda reader, writer: asked.append(writer), "127.0.0.1", 0, ssl=own_certificate(tmp_path)
    )
    host, port = server.sockets[0].getsockname()
    peer = Peer(f"https://{host}:{port}", "a test's", LIMITS)

    with pytest.raises(PeerError, match="CERTIFICATE_VERIFY_FAILED") as refusal:
        await peer.ask("GET", "healthz")

    assert (refusal.value.reason, asked) == ("unreachable", [])
    await peer.close()
    server.close()


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A server's, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
