import numpy as np
import pytest
import scipy.io
import tensorflow as tf

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.training.feature_statistics import (
    load_deviations,
    measure_deviations,
    read_authors_deviations,
    save_deviations,
)


class TwoMaps:
    """Stands for the VGG: two maps of different sizes, the second with a large mean."""

    channels = (3, 2)

    def __call__(self, images):
        return [images, tf.nn.avg_pool2d(images, 2, 2, "VALID")[..., :2] * 3 + 50]


def test_streaming_equals_the_deviation_over_everything(tmp_path):
    images = np.random.default_rng(0).normal(size=(5, 2, 4, 6, 3)).astype(np.float32) * [1, 2, 0.1]
    batches = ({"target_image": tf.constant(batch, tf.float32)} for batch in images)
    deviations = measure_deviations(TwoMaps(), batches, count=4)  # the fifth batch must not count
    maps = TwoMaps()(tf.constant(images[:4].reshape(-1, 4, 6, 3), tf.float32))
    for measured, values in zip(deviations, maps, strict=True):
        np.testing.assert_allclose(measured, np.std(values, axis=(0, 1, 2)), rtol=1e-4)
    save_deviations(tmp_path / "d.npz", deviations)
    for a, b in zip(load_deviations(tmp_path / "d.npz", [3, 2]), deviations, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [file.name for file in tmp_path.iterdir()] == ["d.npz"]


def test_reads_the_second_row_of_the_authors_file(tmp_path):
    scipy.io.savemat(tmp_path / "s.mat", {"0": [[9, 9, 9], [1, 2, 3]], "1": [[9, 9], [4, 5]]})
    first, second = read_authors_deviations(tmp_path / "s.mat", [3, 2])
    assert first.tolist() == [1, 2, 3] and second.tolist() == [4, 5]


def test_reads_the_authors_own_file(shared, vgg19_layers):
    path = shared / "data" / "posewarp_sample" / "vgg_activation_distribution_train.mat"
    deviations = read_authors_deviations(path, [channels for _, _, channels in vgg19_layers])
    assert all((d > 0).any() and np.isfinite(d).all() for d in deviations)


def test_refuses_other_files(tmp_path):
    with pytest.raises(UserError, match="no statistics file"):
        read_authors_deviations(tmp_path / "none.mat", [3])
    (tmp_path / "text.mat").write_text("no")
    with pytest.raises(UserError, match="does not hold"):
        read_authors_deviations(tmp_path / "text.mat", [3])
    scipy.io.savemat(tmp_path / "s.mat", {"0": [[9, 9, 9], [1, 2, 3]]})
    with pytest.raises(UserError, match="does not hold"):
        read_authors_deviations(tmp_path / "s.mat", [3, 2])
    with pytest.raises(UserError, match="other channels"):
        read_authors_deviations(tmp_path / "s.mat", [4])


def test_the_authors_file_is_for_vgg19_alone(shared):
    path = shared / "data" / "posewarp_sample" / "vgg_activation_distribution_train.mat"
    vgg16 = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512]
    with pytest.raises(UserError, match="other channels than the features .*VGG19's.*leave loss.features_statistics"):
        read_authors_deviations(path, vgg16)


def test_deviations_of_other_features_or_damaged_are_refused(tmp_path):
    path = tmp_path / "d.npz"
    save_deviations(path, [np.ones(3, np.float32), np.ones(2, np.float32)])
    for channels in ([3], [3, 2, 2], [3, 4]):
        with pytest.raises(UserError, match=f"d.npz belongs to other features .*2 maps, not {len(channels)}.*folder"):
            load_deviations(path, channels)
    whole = path.read_bytes()
    for damaged in (whole[:-30], b"no", b"", whole[:60] + b"\0" * 10 + whole[70:]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="d.npz is damaged; choose"):
            load_deviations(path, [3, 2])


def test_what_is_wrong_with_a_frame_is_said_plainly():
    def broken(_):
        raise UserError("The picture of frame 2 cannot be decoded; run 'prepare' again.")

    def batch(number):
        image = tf.numpy_function(broken, [number], tf.float32)
        return {"target_image": tf.ensure_shape(image, [1, 4, 4, 3])}

    with pytest.raises(UserError, match="^The picture of frame 2 cannot be decoded; run 'prepare' again.$"):
        measure_deviations(TwoMaps(), tf.data.Dataset.range(3).map(batch), count=2)
