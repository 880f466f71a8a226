"""HOST:PORT, as it is typed."""

from gateway.errors import ConfigError


def address(text: str) -> tuple[str, int]:
    """HOST:PORT or [V6]:PORT."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{text!r} is no HOST:PORT", "write it like 0.0.0.0:5683 or [::]:5683")
    return host, int(port)
