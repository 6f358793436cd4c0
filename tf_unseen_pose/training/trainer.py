"""One training step for every variant: L1, VGG, VGG + GAN, with or without person masks.

Convention: losses are per example and are averaged once over the global batch, so that any number of replicas of a
`MirroredStrategy` takes the same step. Build and compile a `Trainer` inside the strategy's scope.
"""

import keras
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.model.discriminator import Discriminator
from tf_unseen_pose.training import losses


class Trainer(keras.Model):
    """Generator, discriminator if the loss asks for one, their optimizers and `train_step`.

    Args:
        features: `PerceptualFeatures`, for `loss.kind` vgg and vgg_gan.
        deviations: for each of its outputs float32 [C]; see `feature_statistics`.

    Attributes:
        discriminator_only: while true a step leaves the generator as it is. Takes effect at the next `fit`.
    """

    def __init__(self, config: Config, features=None, deviations=None, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        self.generator = build_generator(config.model)
        self.discriminator = Discriminator(config.discriminator, config.model) if self.adversarial else None
        self._features = features
        self._deviations = deviations
        self._discriminator_only = False
        if (features is None) != (config.loss.kind == "l1"):
            raise ValueError("loss.kind l1 takes no features; vgg and vgg_gan need them")
        self.built = True

    @property
    def adversarial(self) -> bool:
        """Whether there is a discriminator."""
        return self.config.loss.kind == "vgg_gan"

    @property
    def supervised(self) -> bool:
        """Whether person masks teach segmentation, alpha and background."""
        loss = self.config.loss
        return self.config.model.network != "unet" and (loss.mask > 0 or loss.background > 0)

    @property
    def blending(self) -> bool:
        """Whether the choice of limbs learns from blended colours as well."""
        return self.config.model.network == "copying" and self.config.loss.blend > 0

    @property
    def discriminator_only(self) -> bool:
        return self._discriminator_only

    @discriminator_only.setter
    def discriminator_only(self, value: bool):
        if value != self._discriminator_only:
            self._discriminator_only = value
            self.train_function = None  # Keras traces `train_step` anew.

    def compile(self):
        self.generator_optimizer = self._optimizer(self.generator)
        self.discriminator_optimizer = self._optimizer(self.discriminator) if self.adversarial else None
        names = ["loss", "l1"]
        names += ["vgg"] if self._features else []
        names += ["adversarial", "discriminator"] if self.adversarial else []
        names += ["mask", "background"] if self.supervised else []
        names += ["blend"] if self.blending else []
        self._means = {name: keras.metrics.Mean(name) for name in names}
        super().compile(optimizer=self.generator_optimizer, jit_compile=False)

    def _optimizer(self, network):
        kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
        optimizer = kinds[self.config.train.optimizer](self.config.train.learning_rate)
        # Under a strategy Keras 3 must find its slots made, not make them inside the traced step.
        optimizer.build(network.trainable_variables)
        return optimizer

    @property
    def metrics(self):
        return list(self._means.values())

    def call(self, inputs, training=False):
        return self.generator(inputs, training=training)

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            outputs = self.generator.explain(batch, training=True)
            terms = self.generator_terms(batch, outputs)
            loss = self._average(terms["loss"])
        if not self.discriminator_only:
            self._apply(self.generator_optimizer, tape, loss, self.generator)
        if self.adversarial:
            with tf.GradientTape() as tape:
                terms["discriminator"] = self.discriminator_term(batch, tf.stop_gradient(outputs["image"]))
                loss = self._average(terms["discriminator"])
            self._apply(self.discriminator_optimizer, tape, loss, self.discriminator)
        for name, values in terms.items():
            self._means[name].update_state(values)
        return {name: mean.result() for name, mean in self._means.items()}

    def generator_terms(self, batch, outputs) -> dict[str, tf.Tensor]:
        """Per-example losses [B]: "loss", which the generator minimises, and what it is made of."""
        target, image, weights = batch["target_image"], outputs["image"], self.config.loss
        terms = {"l1": losses.l1(target, image)}
        total = terms["l1"]
        if self._features:
            terms["vgg"] = losses.perceptual(self._features(target), self._features(image), self._deviations)
            total = terms["vgg"]
        if self.adversarial:
            # Without training=True the wrapped layers leave their kernels alone: this is the generator's step.
            logits = self.discriminator({**batch, "image": image}, training=False)
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
        return {**terms, "loss": total}

    def _supervision(self, batch, outputs):
        """What person masks teach: who is the person in the source, in the result, and what is behind."""
        source, target = batch["source_mask"], batch["target_mask"]
        person = outputs["person"]
        entropy = losses.mask_cross_entropy(source, person) + losses.mask_cross_entropy(target, outputs["alpha"])
        background = losses.background_l1(batch["target_image"], outputs["background"], source, target)
        return {"mask": batch["mask_known"] * entropy, "background": batch["mask_known"] * background}

    def discriminator_term(self, batch, generated):
        """Per-example loss [B] of telling the target photograph from the generated image."""
        # One pass over both, so that the spectral norms are updated once a step.
        both = {key: tf.concat([batch[key]] * 2, axis=0) for key in ("source_joints", "target_joints")}
        both["image"] = tf.concat([batch["target_image"], generated], axis=0)
        real, fake = tf.split(self.discriminator(both, training=True), 2)
        return 0.5 * (losses.adversarial(real, real=True) + losses.adversarial(fake, real=False))

    def _average(self, per_example):
        return tf.nn.compute_average_loss(per_example, global_batch_size=self.config.train.batch_size)

    @staticmethod
    def _apply(optimizer, tape, loss, network):
        variables = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
