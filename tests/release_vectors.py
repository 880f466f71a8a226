"""The checks of vectors about releases: signatures over P-256, and manifests.

Beside `tests.run_vectors`, for the interpreter that runs it.
"""

import io

from protocol import ecdsa_verify, manifest, manifest_writer
from protocol.errors import ProtocolError
from protocol.manifest import File, Head

unhex = bytes.fromhex


def check_ecdsa_verify(vector):
    parts = [unhex(vector[field]) for field in ("key", "digest", "signature")]
    return ecdsa_verify.verify(*parts) is vector["valid"]


def check_manifest(vector):
    data, key = unhex(vector["hex"]), unhex(vector["key"])
    file = io.BytesIO(data)
    try:
        head = manifest.open_signed(file, key)
    except ProtocolError as error:
        return error.reason == vector.get("error")
    if "error" in vector or head != Head(*vector["head"]):
        return False
    shown = [File(path, size, unhex(digest)) for path, size, digest in vector["files"]]
    written = manifest_writer.seal(lambda digest: data[-64:], head, shown)
    return list(manifest.files(file)) == shown and written == data
