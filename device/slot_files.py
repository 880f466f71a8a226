"""Files of a slot: what is there, whether it is what was signed, and what is there too much."""

import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files
    from protocol.manifest import File

PART = ".part"  # of a file that is not all there yet
_PIECE_BYTES = 512
_FOLDER = 0x4000


def size_of(path: str) -> int:
    """0 where there is no such file."""
    try:
        size: int = os.stat(path)[6]
    except OSError:
        return 0
    return size


def is_file(path: str, file: "File") -> bool:
    """Whether `path` holds what the manifest says of it, by reading all of it."""
    if size_of(path) != file.size:
        return False
    hashed = hashlib.sha256()
    try:
        with open(path, "rb") as held:
            piece = held.read(_PIECE_BYTES)
            while piece:
                hashed.update(piece)
                piece = held.read(_PIECE_BYTES)
    except OSError:
        return False
    digest: bytes = hashed.digest()
    return digest == file.digest


def copy(files: "Files", source: str, target: str) -> None:
    """Durable on return."""
    with open(source, "rb") as held, open(target, "wb") as file:
        piece = held.read(_PIECE_BYTES)
        while piece:
            file.write(piece)
            piece = held.read(_PIECE_BYTES)
        files.sync(file)


def remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass  # there is none: what is in the way otherwise will be seen when it is written


def make_folders(path: str) -> None:
    """All folders that `path` lies in."""
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # it is there
        at = path.find("/", at + 1)


def remove_others(folder: str, wanted: list[str], inside: str = "") -> None:
    """Removes each file below `folder` that is neither in `wanted` nor a part of one that is."""
    for name in os.listdir(folder + inside):
        path = inside + name
        if os.stat(folder + path)[0] & _FOLDER:
            remove_others(folder, wanted, path + "/")
        elif path not in wanted and not (path.endswith(PART) and path[: -len(PART)] in wanted):
            os.remove(folder + path)
