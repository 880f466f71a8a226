"""News: watches over a configuration on trial, and over outcomes on their way to the gateway.

Only a device that was ever told something loads it. `settling` does what is to be done, and is
forgotten again.
"""

from device.forgetting import forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent


class News:
    """`pending` is the number of the envelope with outcomes, until the gateway has it.

    `trial_until_ms` is when a configuration on trial has had its time, 0 where there is none.
    """

    def __init__(self, agent: "Agent") -> None:
        self.pending = b""
        self.trial_until_ms = 0
        self._agent = agent
        self.settle(b"", heard=False)

    def heard(self, number: bytes) -> None:
        """A receipt for the envelope `number` came."""
        if self.trial_until_ms or number == self.pending:
            self.settle(number, heard=True)

    def look(self) -> None:
        """Raises RestartError where a configuration has had its time."""
        if self.trial_until_ms and self._agent.clock.uptime_ms() >= self.trial_until_ms:
            self.settle(b"", heard=False)

    def settle(self, number: bytes, *, heard: bool) -> None:
        """`heard`: the gateway has answered. It has `number`, or will never take it."""
        from device import settling

        settling.settle(self._agent, self, number, heard=heard)
        forget("device.settling", "device.standing", "device.telling")
