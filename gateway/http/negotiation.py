"""What a client accepts (RFC 9110 §12.5): names in a list, each perhaps with a weight."""


def accepts(header: str, name: str) -> bool:
    """Whether `name` itself is in the list, and not with the weight 0. Wildcards do not count."""
    for part in header.split(","):
        found, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if found == name:
            return not any(_is_zero(parameter) for parameter in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    return parameter.startswith("q=") and not parameter[2:].strip("0.")
