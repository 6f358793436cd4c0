"""The copying generator of preset `lite`: it copies the person pixel by pixel from the photo instead of repainting.

The modules are those of `generator` at lower resolutions: segmentation, background and foreground networks work at 1/2
and 1/4 of the canvas, and only the photo's own pixels reach full resolution. The scheme below is for `reduction` 2.
With 1, for small canvases where a quarter of the resolution loses arms, every network works at twice that:

    encode_source: image, source joints
        1 segmentation   U-Net at H/2: logits + log limb priors -> softmax: background and L limb masks
        2 limb layers    mask * image and the mask, per limb and for the whole person, at H/4
        5 background     the hole inpainted from its rim and corrected by a U-Net at H/2, then made of pieces of the
                         photo that look like that (`exemplar_fill`); the photo itself elsewhere
    render: that state, target joints
        3 transformer    each layer warped from its target limb to its source limb: turned, stretched along the limb;
                         the whole person stays where it is
        4 foreground     U-Net at H/4 (warped layers, target heatmaps) -> for every pixel at H/2: weights of the limbs,
                         a nudge (offset from the limbs' own place to the place copied from), alpha, and a colour that
                         may replace the copied one
          copying        the limbs' transforms, blended by these weights, plus the nudge: one look-up per pixel
                         at full resolution, or at the photo's own (`compositing`)
          refinement     two convolutions at H/2 (the U-Net's features, copied pixels) -> corrections of alpha, of the
                         colour and of its weight
          leaving        a forearm leaves the shirt beside it behind (`beside_arms`)
          filling        a person's pixels whose chosen limbs lead to the scene take colours around them (`person_fill`)
        6 composite      alpha * foreground + (1 - alpha) * background

Blending places instead of L colours has two advantages. Every pixel is one sample of the photo, as sharp as the photo,
even if the weights are undecided; and between two limbs of a joint the place moves continuously, as skin does ("linear
blend skinning").

If an arm moves away, the photo does not show what it hid; the nudge copies it from beside the arm. The refinement sees
the copied pixels, so that the outline follows them. (Version 1 of `lite` has neither: `nudge` 0, `refinement` 0.)

The whole person, unmoved, is one more choice beside the limbs. In two photographs of an exercise, half of the body is
in the same place, but its detected joints differ slightly.

Convention: as `generator`. A transform for maps at 1/k of the canvas is `pose_maps.at_scale`'s: pixel i of such a map
covers canvas pixels k i ... k i + k - 1. R is `reduction`.
"""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tf_unseen_pose.geometry import limb_motion, pose_maps, skinning, warping
from tf_unseen_pose.model import beside_arms, compositing, person_fill
from tf_unseen_pose.model.compact_unet import compact_unet, refinement_network
from tf_unseen_pose.model.directional_fill import filled
from tf_unseen_pose.model.exemplar_fill import exemplars
from tf_unseen_pose.model.layers import LimbSpatialTransformer
from tf_unseen_pose.model.matte import guided_matte, person_mask
from tf_unseen_pose.model.pose_model import PoseModel
from tf_unseen_pose.model_config import CompactUNetConfig, ModelConfig

# Keeps masks away from 0, so that the network can overrule them.
_MASK_FLOOR = 1e-2
# How surely a pixel between shoulders and hips is the person's. Without that, masks of held-out photographs missed 8 %
# of those pixels, such as a bare belly before a wall of its colour.
_CERTAINTY = 0.99
# A limb covers its own axis this much, whatever its mask says, which may miss a thin or dark arm.
_CORE_COVERAGE = 0.8
# Holes below this count as none.
_HOLE_FLOOR = 0.1
# Pixels of the photo that are less visible than this are made of pieces of the others.
_SCENE = 0.2
# Keeps the sum of the source's limb masks positive.
_MASK_EPSILON = 1e-6
# Motion in canvas pixels up to which a pixel counts as still.
_STILL = 0.5
# Inputs of the refinement beside features: copied colour and person mask, visibility of the chosen limbs there.
_SEEN_CHANNELS = 5
# Initial preference, as logits, for copying over replacing: colours made at H/2 are blurred.
_REPLACE_PRIOR_LOGIT = 3.0
# The same for leaving a pixel where it is.
_REST_PRIOR_LOGIT = 3.0
# Of two limbs that cover a pixel, the nearer is up to e^4 times as likely, too little to show where it does not cover.
# The unit, in torso lengths, is about an arm's thickness.
_DEPTH_VOTE, _DEPTH_UNIT = 2.0, 0.15


class CopyState(NamedTuple):
    """The encoded source photo, as `render` needs it.

    Attributes:
        image: [B, H, W, 3] in [-1, 1].
        matte: [B, H / R, W / R, 4], its person mask, see `model.matte`.
        hole: [B, H / R, W / R, 4], the inpainted background; see `compositing.compose`.
        layers: [B, L + 1, H / 2R + 2, W / 2R + 2, 4], the image times each limb's mask, and that mask, with a border;
            last the whole person's.
        joints: [B, J, 3], the source pose.
    """

    image: tf.Tensor
    matte: tf.Tensor
    hole: tf.Tensor
    layers: tf.Tensor
    joints: tf.Tensor


class CopyingGenerator(PoseModel):
    """See the module's essay. Call it as a `Generator`.

    `explain` returns:
        limb_priors, masks [B, H/R, W/R, 1 + L] (background first), person, alpha, replace, stillness [B, H, W, 1],
        layers [B, L + 1, H/2R + 2, W/2R + 2, 4], warped_layers [B, L + 1, H/2R, W/2R, 4], target_to_source
        [B, L + 1, 2, 3], limb_weights [B, H/R, W/R, L + 1] (the whole person last), blended [B, H/2R, W/2R, 3],
        background_input [B, H/R, W/R, 4], background, foreground, image [B, H, W, 3].
    """

    def __init__(self, config: ModelConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        height, width, joints, limbs = config.height, config.width, self.body.joint_count, self.body.limb_count
        stride = config.reduction
        # `ModelConfig` guarantees it.
        assert isinstance(config.segmentation, CompactUNetConfig) and isinstance(config.background, CompactUNetConfig)
        assert isinstance(config.foreground, CompactUNetConfig)
        self.segmentation = compact_unet(
            config.segmentation, height, width, 3, joints, {"logits": 1 + limbs}, "segmentation", stem_stride=stride
        )
        height, width = height // stride, width // stride
        self.background = compact_unet(config.background, height, width, 3 + 1, joints, {"image": 3}, "background")
        corrected = {"colour": 3, "replace": 1, "alpha": 1}
        heads = {"limbs": limbs + 1, **({"nudge": 2} if config.nudge else {}), **corrected}
        self.foreground = compact_unet(
            config.foreground, height // 2, width // 2, 4 * (limbs + 1), joints, heads, "foreground",
            features=config.refinement > 0,
        )  # fmt: skip
        self.refinement = None
        if config.refinement:
            self.refinement = refinement_network(
                config.refinement, height, width, config.foreground.finer, _SEEN_CHANNELS, corrected, "refinement"
            )
        self.transformer = LimbSpatialTransformer(bordered=True, name="transformer")

    @property
    def networks(self) -> list[keras.Model]:
        return [self.segmentation, self.background, self.foreground, *filter(None, [self.refinement])]

    @property
    def steepness(self) -> float:
        return self.config.alpha_steepness

    def _encode(self, image, joints, noise=None, training=False):
        stride = self.config.reduction
        heatmaps = self._heatmaps_at(joints, stride)
        small = tf.nn.avg_pool2d(image, stride, stride, "VALID")
        height, width = small.shape[1:3]
        priors = self._limb_priors(pose_maps.joints_at_scale(joints, stride), height, width)
        logits = self.segmentation([image, heatmaps], training=training)["logits"]
        masks = tf.nn.softmax(logits + tf.math.log(priors + 1e-10))
        person = 1 - masks[..., :1]
        matte = guided_matte(small, person)
        # A half-transparent hole would leave a ghost of the source person; very low masks keep the photo. Each of both
        # masks, before and after the colours guided it, shows edges of the person that the other misses.
        either = tf.maximum(person, person_mask(small, matte))
        covered = self.config.hole_steepness * _grown(either, self.config.hole_growth)
        visible = 1 - tf.clip_by_value((covered - _HOLE_FLOOR) / (1 - _HOLE_FLOOR), 0, 1)
        painted = filled(small, visible)
        background_input = tf.concat([painted, visible], axis=-1)
        correction = self.background([background_input, heatmaps], training=training)["image"]
        painted = tf.clip_by_value(painted + correction, -1, 1)
        if not training:
            painted = exemplars(small, painted, tf.cast(visible < _SCENE, small.dtype))
        hole = tf.concat([(1 - visible) * painted, 1 - visible], axis=-1)
        layers = self._limb_layers(small, masks)
        stages = {"limb_priors": priors, "masks": masks, "layers": layers, "background_input": background_input}
        return CopyState(image, matte, hole, layers, joints), stages

    def _limb_priors(self, joints, height, width):
        """As `pose_maps.limb_priors`, with little for the background between shoulders and hips."""
        priors = pose_maps.limb_priors(joints, self.body, height, width)
        interiors = pose_maps.limb_interiors(joints, self.body, height, width)
        return tf.concat([priors[..., :1] * (1 - _CERTAINTY * interiors), priors[..., 1:]], axis=-1)

    def _limb_layers(self, image, masks):
        """[B, h, w, 3], [B, h, w, 1 + L] -> [B, L + 1, h / 2 + 2, w / 2 + 2, 4]."""
        count, (height, width) = self.body.limb_count + 1, image.shape[1:3]
        masks = tf.concat([masks[..., 1:], 1 - masks[..., :1]], axis=-1)
        # Ones by padding: a constant map would take 64 kB of a TFLite file.
        opaque = tf.pad(image, [[0, 0]] * 3 + [[0, 1]], constant_values=1)
        layers = tf.reshape(masks[..., None] * opaque[..., None, :], [-1, height, width, 4 * count])
        layers = warping.with_border(tf.nn.avg_pool2d(layers, 2, 2, "VALID"))
        return tf.transpose(tf.reshape(layers, [-1, height // 2 + 2, width // 2 + 2, count, 4]), [0, 3, 1, 2, 4])

    def _render(self, state, target_joints, training=False):
        decisions, stages = self._decide(state, target_joints, training)
        # Alpha stays soft in training and is steepened at inference.
        steepness = 1.0 if training else self.steepness
        made = compositing.compose(
            state.image, state.matte, state.hole, decisions, self.config.height, steepness, not training,
            sample=warping.sample_within,
        )  # fmt: skip
        return {**stages, **made}

    def _decide(self, state, target_joints, training=False):
        # Both ways in one call: fewer operations in TFLite files.
        poses = [state.joints[..., :3], target_joints[..., :3]]
        stretches = limb_motion.limb_stretches(tf.concat(poses, axis=0), tf.concat(poses[::-1], axis=0), self.body)
        limbs, source_to_target = tf.split(stretches, 2)
        unmoved = tf.zeros_like(limbs[:, :1]) + tf.constant([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        target_to_source = tf.concat([limbs, unmoved], axis=1)
        stride = self.config.reduction
        warped = self.transformer(state.layers, pose_maps.at_scale(target_to_source, 2 * stride))
        height, width = warped.shape[2:4]
        stack = tf.reshape(tf.transpose(warped, [0, 2, 3, 1, 4]), [-1, height, width, 4 * warped.shape[1]])
        heads = self.foreground([stack, self._heatmaps_at(target_joints, 2 * stride)], training=training)

        source_cores, target_cores = tf.split(self._cores(tf.concat(poses, axis=0)), 2)
        coverage = self._coverage(_enlarged(stack[..., 3::4], 2), state.joints, target_cores)
        weights = self._limb_weights(heads["limbs"], coverage, target_to_source, target_joints, training)
        flow = skinning.blended_displacement(target_to_source, weights, stride)
        stillness = self._stillness(state, source_to_target, flow)
        if self.config.nudge:
            flow += self.config.nudge * tf.tanh(heads["nudge"])
        small = tf.nn.avg_pool2d(state.image, stride, stride, "VALID")
        # Of the copied pixels, at H / R: colour, person mask, whether an arm is before them, whether they are torso.
        person = person_mask(small, state.matte)
        arms = person_fill.arms_before(source_cores, pose_maps.limb_visibility(state.joints, self.body), self.body)
        torso = _enlarged(state.layers[:, self.body.root_index, 1:-1, 1:-1, 3:], 2)
        torso = beside_arms.torso_beside(small, person, torso, source_cores, state.joints, self.body, stride)
        seen = tf.concat([small, person, arms, torso], axis=-1)
        copied, arms, torso = tf.split(warping.sample_displaced(seen, flow / stride), [4, 1, 1], axis=-1)
        # Visibility of the chosen limbs at the places they point to.
        shown = tf.reduce_sum(weights * coverage, axis=-1, keepdims=True)
        if self.refinement is not None:
            seen = [heads["features"], tf.concat([copied, shown], axis=-1)]
            heads |= {name: heads[name] + more for name, more in self.refinement(seen, training=training).items()}
        heads["alpha"] -= beside_arms.taken_along(torso, weights, coverage, self.body)
        replace = tf.sigmoid(heads["replace"] - _REPLACE_PRIOR_LOGIT)
        # The unmoved person is not evidence of the new position.
        covered = tf.minimum(tf.reduce_sum(coverage[..., :-1], axis=-1, keepdims=True), 1)
        parts = person_fill.broad_parts(weights, self.body)
        unseen, nearby = person_fill.filling(copied, covered, shown, heads["alpha"], arms, parts)
        gain, offset = compositing.correction(copied[..., :3], unseen, nearby, replace, tf.tanh(heads["colour"]))
        decisions = compositing.Decisions(flow, gain, offset, heads["alpha"], covered, stillness)
        stages = {
            "target_to_source": target_to_source,
            "warped_layers": warped,
            "limb_weights": weights,
            "blended": skinning.blended_colours(warped, weights),
            "replace": _enlarged(replace, stride),
        }
        return decisions, stages

    def _cores(self, joints):
        model = self.config
        return pose_maps.limb_cores(joints, self.body, model.height, model.width, model.reduction)

    def _coverage(self, warped_masks, source_joints, cores):
        """The warped masks [B, H / R, W / R, L + 1], and of limbs that the source has at least the target's cores."""
        cores *= _CORE_COVERAGE * pose_maps.limb_presence(source_joints, self.body)[:, None, None]
        return tf.concat([tf.maximum(warped_masks[..., :-1], cores), warped_masks[..., -1:]], axis=-1)

    def _limb_weights(self, logits, coverage, target_to_source, target_joints, training):
        """[B, H / R, W / R, L + 1], summing to 1."""
        weights = tf.nn.softmax(logits + self._limb_prior_logits(target_joints)) * (coverage + _MASK_FLOOR)
        weights = skinning.covering_weights(weights / tf.reduce_sum(weights, axis=-1, keepdims=True), coverage)
        if self.config.blend_radius and not training:
            weights = skinning.agreeing_weights(
                target_to_source, weights, self.config.reduction, self.config.blend_radius
            )
        return weights

    def _stillness(self, state, source_to_target, flow):
        """Certainty that a pixel is unchanged: [B, H / R, W / R, 1], without a gradient.

        Both motions count, the new person's to a place and the old one's away from it; otherwise an arm that has left
        would stay.
        """
        masks = tf.transpose(state.layers[:, :-1, 1:-1, 1:-1, 3], [0, 2, 3, 1]) + _MASK_EPSILON
        masks /= tf.reduce_sum(masks, axis=-1, keepdims=True)
        left = _enlarged(skinning.blended_displacement(source_to_target, masks, 2 * self.config.reduction), 2)
        squared = [tf.reduce_sum(motion * motion, axis=-1, keepdims=True) for motion in (left, flow)]
        return tf.stop_gradient(tf.exp(-tf.maximum(*squared) / _STILL**2))

    def _heatmaps_at(self, joints, stride):
        model = self.config
        return pose_maps.joint_heatmaps(joints, model.height, model.width, stride, model.heatmap_sigma)

    def _limb_prior_logits(self, joints):
        """Prior logits of each limb, by depth, and of staying: [B, 1, 1, L + 1]."""
        nearness = -_DEPTH_VOTE * tf.tanh(pose_maps.limb_depths(joints, self.body) / _DEPTH_UNIT)
        return tf.pad(nearness, [[0, 0], [0, 1]], constant_values=-_REST_PRIOR_LOGIT)[:, None, None]


def _enlarged(maps, factor):
    return compositing.enlarged(maps, [factor * maps.shape[1], factor * maps.shape[2]])


def _grown(mask, radius):
    """The mask, wider by `radius` pixels."""
    return tf.nn.max_pool2d(mask, 2 * radius + 1, 1, "SAME") if radius else mask
