"""`tallystick`: one program, one command a line. Errors name the next thing to type."""

import signal
import sys

import typer

from gateway.errors import FatalError, GatewayError
from tools import (
    backup,
    demo,
    device,
    doctor,
    fsck,
    init,
    proof,
    prune,
    recover,
    restore,
    rotate_key,
    run,
    simulate,
    status,
    token,
    verify,
    witness,
)

WRONG_USE = 2

app = typer.Typer(
    name="tallystick",
    help="Signed sensor readings, kept in a ledger that anyone can verify.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("collect")(run.collect)
app.command("simulate")(simulate.simulate)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("rotate-key")(rotate_key.rotate_key)
app.command("prune")(prune.prune)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("recover")(recover.recover)
app.command("fsck")(fsck.fsck)
app.command("verify")(verify.verify)
app.command("new-witness")(witness.new_witness)
app.add_typer(device.app, name="device")
app.add_typer(proof.app, name="proof")
app.add_typer(token.app, name="token")


def main() -> None:
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except FatalError as error:
        print(f"tallystick: {error}\n  fix: {error.fix}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except GatewayError as error:
        print(f"tallystick: {error}\n  fix: look at the disk, then try again", file=sys.stderr)
        sys.exit(WRONG_USE)


def _interrupt(number: int, frame: object) -> None:
    """Once: a second Ctrl-C must not stop a command from ending what it started."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _terminate(number: int, frame: object) -> None:
    """Ends like Ctrl-C does, so that what a command started ends with it."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
