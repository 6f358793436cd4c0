"""How far an exported function's output is from the model's."""

import numpy as np

# This part of a hole's colours may differ: of two pieces of the photo that resemble the painted one equally, rounding
# chooses.
_UNDECIDED = 0.01


def largest(name: str, differences: np.ndarray) -> float:
    """The largest of a tensor's absolute differences.

    Args:
        name: of the tensor in signatures. The "hole" has pieces of the photo (`model.exemplar_fill`), so that a
            hundredth of its colours does not count; its weight does.
        differences: of any shape; of the hole [..., 4], colours and weight.

    Example:
        >>> import numpy as np
        >>> one = np.zeros((200, 4))
        >>> one[7, 1] = 0.25
        >>> largest("matte", one), largest("hole", one)
        (0.25, 0.0)
    """
    if name != "hole":
        return float(differences.max())
    colours, weight = differences[..., :3], differences[..., 3]
    return float(np.maximum(np.quantile(colours, 1 - _UNDECIDED, method="higher"), weight.max()))
