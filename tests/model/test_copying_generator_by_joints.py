"""What the copying generator takes for the person by the joints alone, whatever its networks say."""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import load_config
from tf_unseen_pose.model import build_generator


def test_what_lies_between_shoulders_and_hips_is_the_persons_however_broad_they_are(small_lite, batch):
    generator = build_generator(load_config("lite", [*small_lite, "model.width=96"]).model)
    generator.segmentation.set_weights([np.zeros_like(weight) for weight in generator.segmentation.get_weights()])
    inputs, body = batch(64, 96), generator.body
    sides = body.joint_index("right_shoulder", "right_hip"), body.joint_index("left_shoulder", "left_hip")
    for joints, shift in zip(sides, (-20, 14), strict=True):
        inputs["source_joints"][:, joints, 0] += shift
    masks = generator.explain(inputs)["masks"].numpy()
    person, (height, width) = 1 - masks[..., 0], masks.shape[1:3]
    for example, pose in enumerate(inputs["source_joints"][..., :2]):
        (right, left), (outer, _) = (pose[joints].mean(axis=0) for joints in sides), pose[sides[0]]
        edge = 0.85 * right + 0.15 * left
        for (x, y), is_persons in ((edge, True), (outer - [12, -8], False)):
            found = person[example, round(y * height / 64), round(x * width / 96)]
            assert (found > 0.97) == is_persons, (example, x, y, found)


def test_a_limb_that_every_mask_misses_is_still_chosen_on_its_axis(small_lite, batch):
    generator = build_generator(load_config("lite", [*small_lite, "model.width=96"]).model)
    inputs, limb = (
        batch(64, 96, batch=3),
        next(i for i, limb in enumerate(generator.body.limbs) if limb.name == "left_calf"),
    )
    knee, ankle = generator.body.joint_index("left_knee", "left_ankle")
    inputs["source_joints"][2, ankle, 2] = 0  # as if cut off by the photo's border
    state = generator.encode_source(inputs["image"], inputs["source_joints"])
    state = state._replace(layers=tf.zeros_like(state.layers))
    _, stages = generator._decide(state, tf.constant(inputs["target_joints"]))
    decisions = generator.decide(state, inputs["target_joints"])
    weights, stride = stages["limb_weights"].numpy(), generator.config.reduction
    for example, pose in enumerate(inputs["target_joints"][..., :2]):
        column, row = np.round((pose[knee] + pose[ankle]) / 2 / stride).astype(int)
        if example < 2:
            assert weights[example, row, column].argmax() == limb and decisions.coverage[example, row, column, 0] > 0.3
        else:
            assert decisions.coverage[example, row, column, 0] < 0.1
        assert decisions.coverage[example, row, column + 12, 0] < 0.05
