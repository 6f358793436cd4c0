"""How far an exported function's output is from the model's."""

import numpy as np

# This part of the hole may differ: where two pieces of the photo resemble the painted one equally, rounding decides.
_UNDECIDED = 0.01


def largest(name: str, differences: np.ndarray) -> float:
    """The largest of a tensor's absolute differences.

    Args:
        name: of the tensor in signatures. The "hole" has pieces of the photo (`model.exemplar_fill`), so that a
            hundredth of its values does not count.
        differences: of any shape.

    Example:
        >>> import numpy as np
        >>> largest("matte", np.float32([0, 0.25])), largest("hole", np.float32([0] * 199 + [0.25]))
        (0.25, 0.0)
    """
    share = 1 - _UNDECIDED if name == "hole" else 1.0
    return float(np.quantile(differences, share, method="higher"))
