"""What every part may need: where the unix port finds asyncio, and how modules are let go of."""

import sys

if sys.implementation.name == "micropython" and ".frozen" not in sys.path:
    sys.path.append(".frozen")


def forget(*modules: str) -> None:
    """Lets go of modules that are of no more use: a board runs some code only once."""
    for name in modules:
        package, _, own = name.rpartition(".")
        if name in sys.modules:
            del sys.modules[name]
            # a package may be gone before, or never have had one that another stands in for
            if hasattr(sys.modules.get(package), own):
                delattr(sys.modules[package], own)
