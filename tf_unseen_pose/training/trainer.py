"""One training step for every variant: L1, VGG, VGG + GAN, with or without person masks.

Convention: losses are per example and averaged once over the global batch, so that the step is the same for any number
of replicas and for a batch in parts. Build and compile a `Trainer` inside the strategy's scope.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.compat import layer_precision, step_logs
from tf_unseen_pose.config import Config, StageConfig
from tf_unseen_pose.data.pairs import expanded
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.model.discriminator import Discriminator
from tf_unseen_pose.model.perceptual import PerceptualFeatures
from tf_unseen_pose.training import limb_losses, losses
from tf_unseen_pose.training.weight_average import WeightAverage


class Trainer(keras.Model):
    """Generator, discriminator if a stage asks for one, their optimizers and `train_step`.

    Args:
        features: `PerceptualFeatures`, if a stage's loss is vgg or vgg_gan.
        deviations: for each of its outputs float32 [C]; see `feature_statistics`.

    Attributes:
        stage: the stage that `train_step` minimises, initially the first.
        average: moving average of the generator's weights.
    """

    def __init__(
        self,
        config: Config,
        features: PerceptualFeatures | None = None,
        deviations: list[np.ndarray] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.config = config
        self.adversarial = "vgg_gan" in config.train.losses
        # None if no stage needs them, like the discriminator.
        self._features: Any = features
        self._deviations: Any = deviations
        if (features is None) != (config.train.losses == {"l1"}):
            raise ValueError("a loss of l1 takes no features; vgg and vgg_gan need them")
        with layer_precision(config.train.precision):
            self.generator = build_generator(config.model)
        # Always in float32: it is small, and its spectral norms need it.
        self.discriminator: Any = Discriminator(config.discriminator, config.model) if self.adversarial else None
        self.begin(config.train.stages[0])
        self.built = True

    def begin(self, stage: StageConfig, discriminator_only: bool = False) -> None:
        """Sets what the steps of the next `fit` do.

        Args:
            stage: one of the configuration's.
            discriminator_only: do not change the generator.
        """
        self.stage, self._discriminator_only = stage, discriminator_only
        self._gradients = self._terms_and_gradients
        if self.config.train.xla:
            self._gradients = tf.function(self._terms_and_gradients, jit_compile=True, autograph=False)
        for optimizer in getattr(self, "_optimizers", ()):
            optimizer.learning_rate = stage.learning_rate
        self.train_function = None  # Keras traces `train_step` again.

    @property
    def supervised(self) -> bool:
        """Whether person masks supervise segmentation, alpha and background."""
        loss = self.config.loss
        return self.config.model.network != "unet" and (loss.mask > 0 or loss.background > 0)

    @property
    def blending(self) -> bool:
        """Whether the limb weights also learn from blended colours."""
        return self.config.model.network == "copying" and self.config.loss.blend > 0

    @property
    def pricing(self) -> bool:
        """Whether replacing copied colours is penalised."""
        return self.config.model.network == "copying" and self.config.loss.replace > 0

    @property
    def labelled(self) -> list[str]:
        """The active terms that learn from limb maps and empty scenes."""
        kinds = {"limbs": ("modular", "copying"), "choice": ("copying",), "scene": ("modular", "copying")}
        network, loss = self.config.model.network, self.config.loss
        return [name for name, networks in kinds.items() if network in networks and getattr(loss, name) > 0]

    def compile(self) -> None:
        self.generator_optimizer = self._optimizer(self.generator)
        self.discriminator_optimizer: Any = self._optimizer(self.discriminator) if self.adversarial else None
        self._optimizers = [self.generator_optimizer, *filter(None, [self.discriminator_optimizer])]
        self.average = WeightAverage(self.generator.trainable_variables, self.config.train.average)
        names = ["loss", "l1"]
        names += ["ssim"] if self.config.loss.ssim else []
        names += ["vgg"] if self._features else []
        names += ["adversarial", "discriminator"] if self.adversarial else []
        names += ["mask", "background"] if self.supervised else []
        names += ["blend"] if self.blending else []
        names += ["replace"] if self.pricing else []
        names += self.labelled
        self._means = {name: keras.metrics.Mean(name) for name in names}
        super().compile(optimizer=self.generator_optimizer, jit_compile=False)

    def _optimizer(self, network):
        kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
        optimizer = kinds[self.config.train.optimizer](self.stage.learning_rate)
        # Under a strategy Keras 3 must not create its slots inside the traced step.
        optimizer.build(network.trainable_variables)
        return optimizer

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._means.values())

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        return self.generator(inputs, training=training)

    def _maybe_symbolic_build(self, *_: Any, **__: Any) -> None:
        """Does nothing, since all is built; Keras 3 would average a batch, which fails on several machines."""

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        batch = expanded(batch, self.config)
        terms, image, gradients = self._in_parts(batch)
        if not self._discriminator_only:
            variables = self.generator.trainable_variables
            self.generator_optimizer.apply_gradients(zip(gradients, variables, strict=True))
            self.average.update()
        if self.stage.loss == "vgg_gan":
            with tf.GradientTape() as tape:
                terms["discriminator"] = self.discriminator_term(batch, tf.stop_gradient(image))
                loss = self._average(terms["discriminator"])
            variables = self.discriminator.trainable_variables
            gradients = tape.gradient(loss, variables)
            self.discriminator_optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for name, values in terms.items():
            self._means[name].update_state(values)
        return step_logs({name: self._means[name].result() for name in terms})

    def _in_parts(self, batch):
        """`_terms_and_gradients` of a batch in `train.accumulate` sequential parts."""
        count = self.config.train.accumulate
        parts = [
            dict(zip(batch, values, strict=True))
            for values in zip(*(tf.split(value, count) for value in batch.values()), strict=True)
        ]
        found, gradients = [], None
        for part in parts:
            # Wait for the previous part, so that its activations are freed.
            with tf.control_dependencies(gradients or []):
                part = {name: tf.identity(value) for name, value in part.items()}
            terms, image, new = self._gradients(part)
            gradients = new if gradients is None else [a + b for a, b in zip(gradients, new, strict=True)]
            found.append({**terms, "image": image})
        joined = {name: tf.concat([part[name] for part in found], axis=0) for name in found[0]}
        return joined, joined.pop("image"), gradients

    def _terms_and_gradients(self, batch):
        """Per-example losses, the generated images, and the gradient of the generator's variables."""
        with tf.GradientTape() as tape:
            outputs = self.generator.explain(batch, training=True)
            terms = self.generator_terms(batch, outputs)
            loss = self._average(terms["loss"])
        return terms, outputs["image"], tape.gradient(loss, self.generator.trainable_variables)

    def generator_terms(self, batch: dict[str, tf.Tensor], outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Per-example losses [B]: "loss", which the generator minimises, and its terms."""
        target, image, weights = batch["target_image"], outputs["image"], self.config.loss
        terms = {"l1": losses.l1(target, image)}
        total = terms["l1"]
        if self.stage.loss != "l1":
            wanted, found = (self._features(compared_part(part, batch, self.config)) for part in (target, image))
            terms["vgg"] = losses.perceptual(wanted, found, self._deviations)
            total = terms["vgg"] + weights.l1 * terms["l1"]
        if weights.ssim:
            terms["ssim"] = losses.ssim_loss(target, image)
            total += weights.ssim * terms["ssim"]
        if self.stage.loss == "vgg_gan":
            # Without training=True the spectral norms are not updated in the generator's step.
            logits = self.discriminator(judged_part(image, batch, self.config), training=False)
            terms["adversarial"] = losses.adversarial(logits, real=True)
            total += weights.gan * terms["adversarial"]
        if self.supervised:
            supervision = self._supervision(batch, outputs)
            total += weights.mask * supervision["mask"] + weights.background * supervision["background"]
            terms.update(supervision)
        if self.blending:
            copied = outputs["alpha"] * (1 - outputs["replace"])
            terms["blend"] = losses.blend_l1(target, outputs["blended"], copied)
            total += weights.blend * terms["blend"]
        if self.pricing:
            terms["replace"] = losses.replaced_part(outputs["replace"], outputs["alpha"])
            total += weights.replace * terms["replace"]
        for name in self.labelled:
            terms[name] = self._labelled_term(name, batch, outputs)
            total += getattr(weights, name) * terms[name]
        return {**terms, "loss": total}

    def _labelled_term(self, name, batch, outputs):
        """The term of examples with limb maps, or with the empty scene."""
        if name == "scene":
            # As for the background, but nobody hides the scene.
            source, nobody = batch["source_mask"], tf.zeros_like(batch["target_mask"])
            return batch["scene_known"] * losses.background_l1(batch["scene"], outputs["background"], source, nobody)
        source, target = batch["source_limbs"], batch["target_limbs"]
        if name == "limbs":
            return batch["limbs_known"] * limb_losses.limb_cross_entropy(source, outputs["masks"])
        weights, transforms = outputs["limb_weights"], outputs["target_to_source"]
        return batch["limbs_known"] * limb_losses.choice_cross_entropy(source, target, weights, transforms)

    def _supervision(self, batch, outputs):
        """The terms of person masks: for segmentation, alpha and background."""
        source, target = batch["source_mask"], batch["target_mask"]
        person = outputs["person"]
        entropy = losses.mask_cross_entropy(source, person) + losses.mask_cross_entropy(target, outputs["alpha"])
        background = losses.background_l1(batch["target_image"], outputs["background"], source, target)
        return {"mask": batch["mask_known"] * entropy, "background": batch["mask_known"] * background}

    def discriminator_term(self, batch: dict[str, tf.Tensor], generated: tf.Tensor) -> tf.Tensor:
        """Per-example discriminator loss [B] on the target photograph and the generated image [B, H, W, 3]."""
        # One pass over both, so that the spectral norms are updated once a step.
        parts = [judged_part(images, batch, self.config) for images in (batch["target_image"], generated)]
        both = {name: tf.concat([part[name] for part in parts], axis=0) for name in parts[0]}
        real, fake = tf.split(self.discriminator(both, training=True), 2)
        return 0.5 * (losses.adversarial(real, real=True) + losses.adversarial(fake, real=False))

    def _average(self, per_example):
        return tf.nn.compute_average_loss(per_example, global_batch_size=self.config.train.batch_size)


def compared_part(images: tf.Tensor, batch: dict[str, tf.Tensor], config: Config) -> tf.Tensor:
    """The part of images [B, H, W, 3] that the VGG loss compares: all, or the batch's squares, [B, N, N, 3]."""
    side = config.loss.features_crop
    return losses.squares(images, batch["features_corner"], side) if side else images


def judged_part(images: tf.Tensor, batch: dict[str, tf.Tensor], config: Config) -> dict[str, tf.Tensor]:
    """What the discriminator sees of images [B, H, W, 3]: `compared_part`, and both poses in its pixels."""
    part = {"image": compared_part(images, batch, config)}
    for name in ("source_joints", "target_joints"):
        part[name] = batch[name]
        if config.loss.features_crop:
            # x and y are a column and a row.
            corner = tf.cast(batch["features_corner"][:, None, ::-1], tf.float32)
            part[name] = tf.concat([batch[name][..., :2] - corner, batch[name][..., 2:]], axis=-1)
    return part
