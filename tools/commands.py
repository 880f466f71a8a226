"""The commands of `tallystick`, and where each is.

A start loads what it was asked for and nothing else: on a small board that is seconds.
"""

from importlib import import_module

import typer

# name: the module in tools, and the function or group of commands in it
COMMANDS = {
    "demo": "demo:demo",
    "init": "init:init",
    "run": "run:run",
    "collect": "collect:collect",
    "simulate": "simulate:simulate",
    "get": "coap.commands:get",
    "put": "coap.commands:put",
    "post": "coap.commands:post",
    "delete": "coap.commands:delete",
    "observe": "coap.observe:observe",
    "status": "status:status",
    "doctor": "doctor:doctor",
    "rotate-key": "rotate_key:rotate_key",
    "prune": "prune:prune",
    "backup": "backup:backup",
    "restore": "restore:restore",
    "recover": "recover:recover",
    "fsck": "fsck:fsck",
    "verify": "verify:verify",
    "new-witness": "witness:new_witness",
    "device": "device:app",
    "proof": "proof:app",
    "token": "token:app",
    "firmware": "release:app",
    "flash": "board.commands:flash",
    "repl": "board.commands:repl",
}


def program(asked: str = "") -> typer.Typer:
    """With the command `asked` for; with all of them where there is none of that name."""
    app = typer.Typer(
        name="tallystick",
        help="Signed sensor readings, kept in a ledger that anyone can verify.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_named)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        module, attribute = COMMANDS[name].split(":")
        command = getattr(import_module(f"tools.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _named() -> None:
    """Typer drops the name of a command that is the only one; with a callback it does not."""
