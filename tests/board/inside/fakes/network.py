"""`network` of the virtual board: a radio that joins the network of `VirtualBoard.world`.

Its sockets are the host's own, on loopback: joined or not, they work as far as `up` says.
"""

import time

import host

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_WRONG_PASSWORD, STAT_NO_AP_FOUND, STAT_GOT_IP = 0, 1, -3, -2, 3
_JOIN_MS = 30


def hostname(name=None):
    return "virtual-board"


def country(code=None):
    return "XX"


class WLAN:
    IF_STA, IF_AP = STA_IF, AP_IF
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0xA11140, 0xA11142, 0xA11C82
    _is_active = False
    _asked = None
    _asked_at = 0

    def __init__(self, interface=STA_IF):
        pass

    def active(self, on=None):
        if on is None:
            return WLAN._is_active
        WLAN._is_active = bool(on)
        if not on:
            WLAN._asked = None

    def connect(self, ssid=None, key=None):
        if not WLAN._is_active:
            raise OSError("Wifi Internal Error")
        WLAN._asked, WLAN._asked_at = (ssid, key), time.ticks_ms()

    def disconnect(self):
        WLAN._asked = None

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def status(self, what=None):
        if what == "rssi":
            return -55
        if WLAN._asked is None:
            return STAT_IDLE
        if time.ticks_diff(time.ticks_ms(), WLAN._asked_at) < _JOIN_MS:
            return STAT_CONNECTING
        return self._answer(host.world()["wifi"])

    def _answer(self, wifi):
        ssid, key = WLAN._asked
        if not wifi["up"] or wifi["ssid"] not in (None, ssid):
            return STAT_NO_AP_FOUND
        if wifi["password"] not in (None, key):
            return STAT_WRONG_PASSWORD
        return STAT_GOT_IP

    def config(self, *names, **settings):
        if names == ("mac",):
            return b"\x28\xcd\xc1\x00\x00\x01"

    def ifconfig(self, addresses=None):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def scan(self):
        ssid = host.world()["wifi"]["ssid"] or "anywhere"
        return [(ssid.encode(), b"\0\0\0\0\0\1", 6, -55, 5, False)]
