import numpy as np
import pytest
from coded_colours import HLG, PATCHES, PQ, SRGB, coded

from tf_unseen_pose.imaging.srgb import is_other_than_srgb, to_srgb


@pytest.mark.parametrize("primaries, transfer", [(9, HLG), (9, PQ), (9, SRGB), (12, SRGB), (1, PQ)])
def test_what_srgb_holds_comes_back(primaries, transfer):
    found = to_srgb(coded(PATCHES, primaries, transfer), primaries, transfer)
    np.testing.assert_allclose(255 * found, PATCHES, atol=0.6)


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_highlights_end_in_white(transfer):
    """Greys from black to the brightest get brighter, and keep the hue of colours; reference white is nearly white."""
    greys = np.linspace(0, 1 if transfer == HLG else 0.7518, 200)[:, None].repeat(3, axis=1)
    shown = 255 * to_srgb(greys, 9, transfer)
    assert np.ptp(shown, axis=1).max() < 0.5 and (np.diff(shown[:, 0]) > 0).all()
    assert shown[0, 0] == 0 and shown[-1, 0] == pytest.approx(255, abs=0.5)
    (white,) = 255 * to_srgb(coded([[255, 255, 255]], 9, transfer), 9, transfer)
    assert 238 < white.min() < 250
    bright = to_srgb(np.array([[0.9, 0.8, 0.7]]), 9, transfer)[0]
    assert bright[0] > bright[1] > bright[2]


def test_colours_beyond_srgb_are_clipped_and_srgb_is_left_alone():
    np.testing.assert_allclose(to_srgb(np.array([[0.0, 1.0, 0.0]]), 9, SRGB), [[0, 1, 0]], atol=1e-6)
    assert not any(is_other_than_srgb(primaries, transfer) for primaries in (1, 2, 5, 6) for transfer in (1, 2, 6, 13))
