"""`tallystick firmware`: releases of devices' own files, signed by their owner.

The release key belongs to whoever is answerable for the devices, and on no gateway: who can push
files must not be able to sign them.
"""

import hashlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.releases import Release, Releases, opened
from gateway.store.files import create_durable
from protocol import manifest, manifest_writer
from protocol.errors import ProtocolError
from protocol.manifest import File, Head
from tools import firmware
from tools.board import program

app = typer.Typer(help="Releases of devices' own files.", no_args_is_help=True)
_Dir = Annotated[Path, typer.Option("--dir", help="the gateway's directory")]
_Json = Annotated[bool, typer.Option("--json", help="for scripts")]
_PORTS = ("rp2", "esp32", "linux")  # one release is for all of them
# on a board they are /slots.mpy and /slot_start.mpy, and stay
_SELECTOR = ("device/slots.mpy", "device/slot_start.mpy")
_HEADER_BYTES = 4  # of a .mpy file: M, version, flags and architecture, bits of a small integer
_BEFORE_2025 = 1_735_689_600


@app.command("keygen")
def keygen(file: Path) -> None:
    """Make the release key in FILE (0600), and show what config.json of each device needs.

    Keep FILE away from every gateway, and a copy somewhere safe: without it no device takes
    another update, and with it anybody's code is taken.

    Example: tallystick firmware keygen release.key
    """
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        create_durable(file, text)
    except FileExistsError as error:
        raise ConfigError(f"{file} is there already", "name another file") from error
    print(f'"update_key": "{_public(key).hex()}"')
    print(f"made {file}; put the line above into each device's config.json", file=sys.stderr)


@app.command("key")
def key_(file: Path) -> None:
    """Show once more what config.json of each device needs, for the release key in FILE.

    Example: tallystick firmware key release.key
    """
    print(f'"update_key": "{_public(_load(file)).hex()}"')


@app.command("build")
def build(
    key: Annotated[Path, typer.Option(help="the release key")],
    out: Annotated[Path, typer.Option(help="a folder that is not there yet")],
    version: Annotated[str, typer.Option(help="its name; by default the time of its counter")] = "",
    counter: Annotated[
        int, typer.Option(help="larger than of all releases before; by default the time in s")
    ] = 0,
    json_: _Json = False,
) -> None:
    """Compile devices' files as they are here, and sign what they are.

    Example: tallystick firmware build --key release.key --out release
    """
    signer = _load(key)
    counter = counter or int(time.time())
    if counter < _BEFORE_2025 and counter == int(time.time()):
        raise ConfigError("this machine's clock is not set", "set it, or give --counter")
    named = version or time.strftime("%Y%m%d-%H%M%S", time.gmtime(counter))
    head = Head(named, counter, 0, 0)
    if out.exists():
        raise ConfigError(f"{out} is there already", "name another folder")
    half_done = Path(tempfile.mkdtemp(prefix="new-", dir=out.absolute().parent))
    try:
        _build(half_done, head, signer)
        half_done.chmod(0o755)
        half_done.rename(out)
    except BaseException:
        shutil.rmtree(half_done, ignore_errors=True)
        raise
    _show([opened(out)], json_=json_)


@app.command("publish")
def publish(source: Annotated[Path, typer.Argument(metavar="DIR")], dir_: _Dir) -> None:
    """Copy a release to a gateway's directory, from where devices fetch it when they are told.

    Example: tallystick firmware publish release --dir garden
    """
    release = _releases(dir_).publish(source)
    print(f"published {release.head.version}; then: tallystick device update NAME"
          f" {release.head.version} --dir {dir_}")  # fmt: skip


@app.command("list")
def list_(dir_: _Dir, json_: _Json = False) -> None:
    """The releases that a gateway has, the newest first.

    Example: tallystick firmware list --dir garden
    """
    _show(_releases(dir_).versions(), json_=json_)


def _build(folder: Path, head: Head, signer: ec.EllipticCurvePrivateKey) -> None:
    # together: names are made short for all files at once, but for those the selector asks for
    sources = {name for port in _PORTS for name in program.needed(port)}
    modules = firmware.modules(firmware.cache(), sources)
    for name in _SELECTOR:
        del modules[name]
    for name, content in modules.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    files = [
        File(name, len(modules[name]), hashlib.sha256(modules[name]).digest())
        for name in sorted(modules)
    ]
    headers = {content[:_HEADER_BYTES] for content in modules.values()}
    (header,) = headers  # all are of one compiler
    head = Head(head.version, head.counter, header[1], header[2] >> 2)
    try:
        sealed = manifest_writer.seal(lambda digest: _sign(signer, digest), head, files)
    except ProtocolError as error:
        raise ConfigError(str(error), "give another --version or --counter") from error
    (folder / manifest.NAME).write_bytes(sealed)


def _releases(dir_: Path) -> Releases:
    directory = Directory(dir_)
    if not directory.config.is_file():
        raise ConfigError(f"{dir_} is no gateway's directory", "give the one `init` made")
    return Releases(directory.releases)


def _load(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", "tallystick firmware keygen FILE") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{file} is no release key", "tallystick firmware keygen FILE") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ConfigError(f"{file} is a key of another kind", "tallystick firmware keygen FILE")
    return key


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def _sign(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _show(releases: list[Release], *, json_: bool) -> None:
    shown = [
        {
            "version": one.head.version,
            "counter": one.head.counter,
            "files": len(one.files),
            "bytes": sum(file.size for file in one.files),
        }
        for one in releases
    ]
    if json_:
        print(json.dumps(shown))
        return
    for row in shown:
        print(f"{row['version']:<32} counter {row['counter']}  "
              f"{row['files']} files, {row['bytes']} bytes")  # fmt: skip
