"""The program with all its commands, for tests that type them."""

from tools.commands import program

app = program()
