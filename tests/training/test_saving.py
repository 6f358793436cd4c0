"""Checkpoints that are damaged, and numbers that are none."""

import re
import shutil

import numpy as np
import pytest
from short_training import settings

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.training.run import Run
from tf_unseen_pose.training.saving import Saver
from tf_unseen_pose.training.trainer import Trainer


@pytest.fixture(scope="module")
def trainer():
    trainer = Trainer(settings(), None, None)
    trainer.compile()
    return trainer


def damage(run, step):
    (data,) = run.checkpoints.glob(f"*-{step}.data-*")
    data.write_bytes(data.read_bytes()[:1000])


def test_what_is_said_about_a_damaged_checkpoint_helps(tmp_path, trainer, refuses):
    run = Run(tmp_path, trainer.config)
    saver = Saver(run, trainer)
    saver.save(10)
    saver.save(20)
    damage(run, 20)
    with pytest.raises(UserError, match=r"delete .* and .* in .* to go on from step 10\.$") as caught:
        Saver(run, trainer).restore()
    for name in re.search("delete (.*) and (.*) in", str(caught.value)).groups():
        (run.checkpoints / name).unlink()
    saver = Saver(run, trainer)
    assert run.steps_done == saver.restore() == 10
    saver.save(40)
    assert list(run.saved_checkpoints) == [10, 40]
    saver.save(50)
    assert list(run.saved_checkpoints) == [40, 50]

    for file in run.checkpoints.glob("*-40.*"):
        file.unlink()
    damage(run, 50)
    refuses(lambda: Saver(run, trainer).restore(), f"no other; delete the folder {run.checkpoints} to begin anew")
    shutil.rmtree(run.checkpoints)
    assert Saver(run, trainer).restore() == 0


def test_numbers_that_are_none_are_seen_wherever_they_are(tmp_path, trainer):
    saver = Saver(Run(tmp_path, trainer.config), trainer)
    optimizer = [variable for variable in trainer.generator_optimizer.variables if len(variable.shape) > 1]
    for variable in (trainer.generator.variables[3], trainer.average.values[2], optimizer[-1]):
        before = np.array(variable)
        spoilt = before.copy()
        spoilt.flat[-1] = np.nan if before.ndim > 1 else np.inf
        assert saver.is_finite()
        variable.assign(spoilt)
        assert not saver.is_finite()
        variable.assign(before)
