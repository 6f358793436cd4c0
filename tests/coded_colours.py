"""Colours of sRGB as cameras store them: in wide gamuts, HLG and PQ, in brightness and colour differences.

Written forwards, out of ITU-R BT.2100, BT.2408 and the chromaticities of primaries; the package goes backwards.
"""

import numpy as np

# No two channels alike, greys, and what is nearly black.
PATCHES = np.array(
    [[128, 128, 128], [200, 60, 40], [40, 120, 60], [30, 50, 180], [220, 180, 150], [10, 14, 12], [90, 200, 210]]
)
WHITE_POINT = (0.3127, 0.3290)
PRIMARIES = {
    1: [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)],
    9: [(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)],
    12: [(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)],
}
# Parts of red and blue in brightness, by the matrix's number.
PARTS = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
SRGB, PQ, HLG = 13, 16, 18


def to_xyz(primaries):
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in PRIMARIES[primaries]]).T
    x, y = WHITE_POINT
    return columns * np.linalg.solve(columns, [x / y, 1, (1 - x - y) / y])


def coded(srgb, primaries, transfer):
    """[N, 3] in 0..255 -> the signal [N, 3] in 0..1, white being at 203 cd/m^2 on a display of 1000."""
    srgb = np.asarray(srgb) / 255
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    light = light @ (np.linalg.inv(to_xyz(primaries)) @ to_xyz(1)).T
    if transfer == PQ:
        power = (light * 203 / 10000) ** (2610 / 16384)
        return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    if transfer == HLG:
        shown = light * 203 / 1000
        scene = shown * (shown @ [0.2627, 0.6780, 0.0593])[:, None] ** ((1 - 1.2) / 1.2)
        return np.where(
            scene <= 1 / 12,
            (3 * scene) ** 0.5,
            0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073,
        )
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def in_planes(signal, matrix, is_full, bits=10):
    """[N, 3] in 0..1 -> brightness and two differences [N, 3], whole numbers of so many bits."""
    red, blue = PARTS[matrix]
    y = signal @ [red, 1 - red - blue, blue]
    differences = (signal[:, 2] - y) / (2 - 2 * blue), (signal[:, 0] - y) / (2 - 2 * red)
    unit = 1 << (bits - 8)
    if is_full:
        planes = [y * (256 * unit - 1), *(d * (256 * unit - 1) + 128 * unit for d in differences)]
    else:
        planes = [(16 + 219 * y) * unit, *((128 + 224 * d) * unit for d in differences)]
    return np.round(np.stack(planes, axis=1)).astype(np.uint16)
