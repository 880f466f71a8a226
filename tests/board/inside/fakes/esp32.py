"""`esp32` of the virtual board."""


def mcu_temperature():
    return 26
