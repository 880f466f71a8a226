"""How modules are let go of: a board runs some code only once."""

import sys


def forget(*modules: str) -> None:
    """Lets go of modules that are of no more use."""
    for name in modules:
        package, _, own = name.rpartition(".")
        if name in sys.modules:
            del sys.modules[name]
            # a package may be gone before, or never have had one that another stands in for
            if hasattr(sys.modules.get(package), own):
                delattr(sys.modules[package], own)
