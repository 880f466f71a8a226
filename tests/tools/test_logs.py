"""What the services say, where it can be said and where not."""

import errno

import structlog

from tools.logs import Forgiving, configure_logging


class Full:
    """A log file on a full disk."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self):
        self.write("")


def test_a_line_that_cannot_be_written_stops_nobody():
    log = Forgiving(Full())

    log.write("nobody reads this\n")
    log.flush()


def test_lines_for_scripts_are_json(capfd):
    configure_logging(as_json=True)

    structlog.get_logger("test").info("ready", entries=3)
    structlog.reset_defaults()

    assert '"entries": 3' in capfd.readouterr().err
