"""The wire format of docs/wire-format.md: one source for the gateway and the boards.

Runs unchanged on CPython >= 3.11 and MicroPython >= 1.24. No I/O, no clock, no dice:
bytes, times and random numbers come in as arguments. Imports nothing here, so that a
board loads only the modules it uses.
"""
