"""Converts wide gamuts and high dynamic range to sRGB, by the colour numbers of videos, HEIC and AVIF.

Convention: primaries and transfer functions are numbers of ITU-T H.273 ("nclx"), which FFmpeg shares; 2 means unknown.

HDR colours are kept up to four fifths of reference white; above that highlights are rolled off towards white. Reference
white becomes 243 of 255; libswscale's `intent=perceptual` would make it 150 to 169.
"""

import numpy as np

PQ, HLG = 16, 18
_TO_BT709 = {
    # BT.2020, and Display P3: matrices of linear light, out of the chromaticities of the primaries; white is D65.
    9: [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    12: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],
}
# Luminance of BT.2020's primaries.
_LUMINANCE = np.float32([0.2627, 0.6780, 0.0593])
# Light in cd/m^2: white of paper (ITU-R BT.2408), and the brightest that is told apart from it.
_REFERENCE_WHITE, _PEAK = 203.0, 1000.0
# Linear light from which on highlights are rolled off; reference white is 1 before.
_KNEE = 0.8
_TABLE = 65


def is_other_than_srgb(primaries: int, transfer: int) -> bool:
    """Whether `to_srgb` changes anything; the small gamuts of old television count as sRGB, as in browsers."""
    return primaries in _TO_BT709 or transfer in (PQ, HLG)


def to_srgb(signal: np.ndarray, primaries: int, transfer: int) -> np.ndarray:
    """Stored colours -> sRGB, both float32 [..., 3] RGB in 0..1.

    Colours outside sRGB are clipped. Transfer functions other than HLG and PQ are treated as sRGB's, which keeps greys.

    Source: ITU-R BT.2100 (HLG's inverse OETF and OOTF at 1000 cd/m^2, PQ's EOTF); IEC 61966-2-1.
    """
    signal = np.asarray(signal, np.float32)
    is_hdr = transfer in (PQ, HLG)
    light = (_light_of_pq(signal) if transfer == PQ else _light_of_hlg(signal)) if is_hdr else _light_of_srgb(signal)
    if primaries in _TO_BT709:
        light = light @ np.float32(_TO_BT709[primaries]).T
    light = np.maximum(light, 0)
    if is_hdr:
        brightest = light.max(axis=-1, keepdims=True)
        light = light * (_rolled_off(brightest) / np.maximum(brightest, 1e-6))
    light = np.minimum(light, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** np.float32(1 / 2.4) - 0.055)


def table_to_srgb(primaries: int, transfer: int) -> np.ndarray:
    """`to_srgb` of a grid of colours, float32 [65, 65, 65, 3] in 0..1, by blue, green and red, for interpolation.

    The function is nearly linear between its colours, since stored colours are perceptually spaced.
    """
    levels = np.linspace(0, 1, _TABLE, dtype=np.float32)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    return to_srgb(np.stack([red, green, blue], axis=-1), primaries, transfer)


def _light_of_srgb(signal: np.ndarray) -> np.ndarray:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** np.float32(2.4))


def _light_of_hlg(signal: np.ndarray) -> np.ndarray:
    """Light on a display of 1000 cd/m^2; 1 is reference white."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    gain = np.maximum(scene @ _LUMINANCE, 1e-6)[..., None] ** np.float32(0.2)
    return scene * gain * (_PEAK / _REFERENCE_WHITE)


def _light_of_pq(signal: np.ndarray) -> np.ndarray:
    """Light; 1 is reference white."""
    root = signal ** np.float32(1 / 78.84375)
    ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return ratio ** np.float32(1 / 0.1593017578125) * (10000 / _REFERENCE_WHITE)


def _rolled_off(light: np.ndarray) -> np.ndarray:
    """Light above the knee, bent so that the peak becomes 1 (Reinhard's curve, which begins without a kink)."""
    span = 1 - _KNEE
    above, peak = np.maximum(light - _KNEE, 0) / span, (_PEAK / _REFERENCE_WHITE - _KNEE) / span
    return np.minimum(light, _KNEE) + span * above * (1 + above / peak**2) / (1 + above)
