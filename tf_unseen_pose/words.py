"""Numbers in sentences."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and what it counts: "1 frame", "2 frames".

    Args:
        noun: the singular.
        plural: the plural if it is not `noun` with an s, as "clips were" of "clip was".
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
