"""What the services say on stderr: lines for people on a terminal, JSON for scripts."""

import logging
import sys
from typing import TextIO

import structlog


def configure_logging(as_json: bool) -> None:
    stderr = Forgiving(sys.stderr)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(stderr),  # type: ignore[arg-type]  # as far as it is used
    )
    logging.basicConfig(level=logging.WARNING, stream=stderr)
    # it warns once a write when a reader of /stream has gone, which readers do
    logging.getLogger("asyncio").setLevel(logging.ERROR)


class Forgiving:
    """A line that cannot be written, on a full disk perhaps, is lost; nobody stops for it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except OSError:
            pass

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            pass
