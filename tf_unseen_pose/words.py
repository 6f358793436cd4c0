"""Numbers in sentences."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and what it counts: "1 frame", "2 frames".

    Args:
        noun: what one of them is called.
        plural: what several are called, where an s behind `noun` does not make it: "clips were" of "clip was".
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
