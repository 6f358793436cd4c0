import numpy as np

from tf_unseen_pose.imaging import affine


def test_algebra_is_that_of_homogeneous_matrices(standing):
    outer, inner = np.random.default_rng(3).normal(size=(2, 2, 3))
    square_outer, square_inner = (np.vstack([matrix, [0, 0, 1]]) for matrix in (outer, inner))
    np.testing.assert_allclose(affine.compose(outer, inner), (square_outer @ square_inner)[:2])
    np.testing.assert_allclose(affine.invert(outer), np.linalg.inv(square_outer)[:2])
    standing[4, 2] = 0.25
    moved = affine.transform_joints(inner, standing)
    for before, after in zip(standing, moved, strict=True):
        np.testing.assert_allclose(after[:2], inner @ [*before[:2], 1], rtol=1e-5)
        assert after[2] == before[2]


def test_depth_takes_the_scale_of_a_transform(standing):
    z = np.linspace(-30, 55, 14)[:, None]
    turned = np.array([[0.6, -0.8, 3], [0.8, 0.6, -7]]) * 2.5
    moved = affine.transform_joints(turned, np.concatenate([standing, z], axis=1))
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved[:, 3:], 2.5 * z, rtol=1e-6)
    np.testing.assert_array_equal(moved[:, :3], affine.transform_joints(turned, standing))
    back = affine.transform_joints(affine.invert(turned), moved)
    np.testing.assert_allclose(back, np.concatenate([standing, z], axis=1), atol=1e-4)
