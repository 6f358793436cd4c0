import h5py
import numpy as np
import pytest

from tf_unseen_pose.config import load_config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.model.weights import load_weights, save_weights


@pytest.mark.parametrize("network", ["modular", "unet"])
def test_weights_survive_a_file(tmp_path, batch, network):
    config = load_config("tiny", [f"model.network={network}"]).model
    one, other = build_generator(config), build_generator(config)
    inputs = batch()
    assert np.abs(one(inputs) - other(inputs)).max() > 1e-3
    save_weights(one, tmp_path / "x.weights.h5")
    load_weights(other, tmp_path / "x.weights.h5")
    np.testing.assert_allclose(one(inputs), other(inputs), atol=1e-6)


def test_the_file_is_the_same_on_every_stack(tmp_path):
    config = load_config("tiny").model
    save_weights(build_generator(config), tmp_path / "x.weights.h5")
    shapes = {}
    with h5py.File(tmp_path / "x.weights.h5") as file:
        file.visititems(lambda name, item: shapes.update({name: item.shape} if hasattr(item, "shape") else {}))
    trunk = [("stem", 7, 16), ("down1", 3, 16), ("refine1", 3, 24), ("down2", 3, 32), ("refine2", 3, 32)]
    trunk += [("down3", 3, 32), ("refine3", 3, 32), ("up2", 3, 32), ("up1", 3, 24), ("up0", 3, 16)]
    inputs = {"segmentation": 3, "background": 4, "foreground": 30}
    heads = {"segmentation": {"logits": 11}, "background": {"image": 3}, "foreground": {"image": 3, "alpha": 1}}
    expected = {}
    for network, channels in inputs.items():
        before = [channels, 16, 16 + 14, 24, 32, 32, 32, 32 + 32, 32 + 24, 24 + 16]
        layers = [(name, size, ins, outs) for (name, size, outs), ins in zip(trunk, before, strict=True)]
        for head, outs in heads[network].items():
            expected[f"{network}/heads/{head}_kernel"] = (3, 3, 16, outs)
            expected[f"{network}/heads/{head}_bias"] = (outs,)
        for name, size, ins, outs in layers:
            expected[f"{network}/{name}/kernel"] = (size, size, ins, outs)
            expected[f"{network}/{name}/bias"] = (outs,)
    assert shapes == expected


def test_refuses_files_of_other_networks(tmp_path):
    tiny = load_config("tiny").model
    path = tmp_path / "x.weights.h5"
    with pytest.raises(UserError, match="no weights file"):
        load_weights(build_generator(tiny), path)
    path.write_text("no")
    with pytest.raises(UserError, match="damaged"):
        load_weights(build_generator(tiny), path)
    save_weights(build_generator(load_config("tiny", ["model.foreground.stem=8"]).model), path)
    with pytest.raises(UserError, match=r"foreground/stem/kernel .* \(7, 7, 30, 8\).* \(7, 7, 30, 16\)"):
        load_weights(build_generator(tiny), path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match="damaged"):
        load_weights(build_generator(tiny), path)
