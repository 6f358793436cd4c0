import numpy as np

from tf_unseen_pose.config import load_config
from tf_unseen_pose.export.tflite.sample_inputs import bundled_examples
from tf_unseen_pose.inference.bundled import bundled


def test_the_bundled_person_moves_and_is_mirrored_but_stays_under_the_joints():
    config = load_config("lite", ["model.height=128", "model.width=128", "model.skeleton=body"])
    photo, source, _ = bundled()
    examples = list(bundled_examples(config, 6))
    skeleton = config.model.body
    at = np.round(source[:, :2]).astype(int)
    colours = photo[at[:, 1], at[:, 0]] / 127.5 - 1
    for i, example in enumerate(examples):
        assert example["image"].shape == (1, 128, 128, 3) and example["target_joints"].shape == (1, 23, 4)
        joints = example["source_joints"][0]
        x, y = np.round(joints[:, :2]).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < 128) & (y < 128)
        # A mirrored person's left wrist shows what was the right one's.
        expected = colours[skeleton.mirrored] if i % 2 else colours
        shown = example["image"][0, y[inside], x[inside]]
        assert np.corrcoef(shown.ravel(), expected[inside].ravel())[0, 1] > 0.6, i
        assert inside.sum() > 10
    # Whose left is whose does not change.
    right, left = skeleton.joint_index("right_shoulder", "left_shoulder")
    facing = {float(np.sign(np.diff(e["source_joints"][0, [right, left], 0])[0])) for e in examples}
    assert facing == {float(np.sign(source[left, 0] - source[right, 0]))}
    assert len({round(float(example["image"].mean()), 4) for example in examples}) == 6
    again = list(bundled_examples(config, 6))
    np.testing.assert_array_equal(again[3]["image"], examples[3]["image"])
