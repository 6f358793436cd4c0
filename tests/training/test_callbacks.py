import pytest

from tf_unseen_pose.training.callbacks import Checkpoints, Finite, StepCounter


@pytest.fixture
def training(tmp_path):
    """Callbacks as `fit` lists them, a checkpoint every two steps, and a function that takes a step with a loss."""
    saved, state = [], {"finite": True}
    counter = StepCounter(0)
    checkpoints = Checkpoints(counter, 2, saved.append)
    guard = Finite(counter, checkpoints, lambda step: tmp_path / f"{step}.npz", lambda: state["finite"])

    def step(loss, finite=True):
        state["finite"] = finite
        for callback in (counter, guard, checkpoints):
            callback.on_train_batch_end(0, {"loss": 1.5, "vgg": loss})
        for callback in (counter, guard, checkpoints):
            callback.on_epoch_end(0)

    def end():
        for callback in (counter, guard, checkpoints):
            callback.on_train_end()

    return step, end, saved, tmp_path


def test_weights_that_are_not_finite_are_never_saved(training, refuses):
    step, end, saved, folder = training
    step(0.5, finite=False)  # No checkpoint is due: nobody looks.
    words = "not finite after step 1", "there is no checkpoint yet", folder / "1.npz", "lower"
    refuses(lambda: step(0.5, finite=False), *words)
    assert saved == []
    refuses(end, "not finite after step 1")
    assert saved == []


def test_the_last_good_checkpoint_stays(training, refuses):
    step, end, saved, folder = training
    for _ in range(3):
        step(0.5)
    assert saved == [2]
    refuses(lambda: step(float("nan")), "'vgg' is nan at step 3", "the checkpoint of step 2 is kept", folder / "3.npz")
    assert saved == [2]
    step(0.5)
    end()
    assert saved == [2, 5]
