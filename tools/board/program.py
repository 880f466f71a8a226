"""Which modules a board needs: all of device/ for its port, and what of protocol/ they import."""

import ast
from pathlib import Path

from tools import firmware

_BOARD_FILES = {"rp2": "rp2", "esp32": "esp32", "linux": "unix"}


def modules(port: str, cache: Path, *, public: bool = False) -> dict[str, bytes]:
    """Path in the slot -> bytecode, for a board that calls itself `port`.

    Where `public`, with the public names of the sources, for scripts that use the parts.
    """
    sources = needed(port)
    return firmware.modules(cache, sources, public=public)


def needed(port: str) -> list[str]:
    """Their sources, such as device/agent.py."""
    root = firmware.root()
    found = [path for path in sorted(root.glob("device/**/*.py")) if _is_for(port, path, root)]
    seen = set(found)
    while found:
        for name in _imported(found.pop()):
            path = root / name
            if name.startswith("protocol/") and path not in seen and path.is_file():
                seen.add(path)
                found.append(path)
    paths = [path for path in seen if path.name not in firmware.NOT_ON_BOARDS]
    return sorted(str(path.relative_to(root)) for path in paths)


def _is_for(port: str, path: Path, root: Path) -> bool:
    if path.parent != root / "device" / "board":
        return True
    others = set(_BOARD_FILES.values()) - {_BOARD_FILES.get(port, "unix")}
    return path.stem not in others


def _imported(path: Path) -> list[str]:
    """Files of the modules that it imports, anywhere in it but for types."""
    found = []
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        waiting += ast.iter_child_nodes(node)
    parts = {".".join(name.split(".")[:n]) for name in found for n in range(1, 9)}
    return [part.replace(".", "/") + end for part in parts for end in (".py", "/__init__.py")]
