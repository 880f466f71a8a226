"""Who this device is in this start: kid, epoch, and two keys made from its secret."""

from protocol.envelope import DOWN, UP, direction_key, kid_of


class Identity:
    """`up` seals what we send, `down` checks what the gateway answers. Never printed."""

    def __init__(self, name: str, secret: bytes, epoch: int) -> None:
        self.name = name
        self.kid = kid_of(name)
        self.epoch = epoch
        self.up = direction_key(secret, UP)
        self.down = direction_key(secret, DOWN)
