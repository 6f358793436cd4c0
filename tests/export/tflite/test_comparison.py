from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.export.tflite import export_files, export_tflite
from tf_unseen_pose.export.tflite.comparison import Task, measure_task
from tf_unseen_pose.export.tflite.sample_inputs import called_with, dataset_pairs


def test_pairs_of_a_dataset(lite_files, dataset_path):
    pairs = dataset_pairs(ClipDataset.open(dataset_path), lite_files[0].config, "train", 3)
    assert len(pairs) == 3
    inputs = called_with(pairs[0])
    assert {name: value.shape for name, value in inputs.items()} == {
        "image": (1, 64, 64, 3), "source_joints": (1, 14, 3), "target_joints": (1, 14, 4)
    }  # fmt: skip
    assert (inputs["target_joints"][0, :, :3] == pairs[0].target_joints[:, :3]).all()


def test_the_task_is_judged_by_evaluation(lite_files, lite_contents, tmp_path):
    prepare([], tmp_path / "half", Options("synthetic", clips=2, frames=8, size=64, validation=0.5), progress=False)
    contents = {name: lite_contents[name] for name in ("float32", "int8")}
    before = {name: {"psnr": 50.0} for name in contents}
    found = measure_task(before, contents, lite_files[0], ClipDataset.open(tmp_path / "half"), 2, Task(poses=False))
    assert set(found["int8"]) == {"psnr", "ssim_inside", "pairs"} and found["int8"]["pairs"] == 2
    assert abs(found["int8"]["ssim_inside"] - found["float32"]["ssim_inside"]) < 0.1


def test_a_dataset_without_held_out_pairs_is_refused_at_once(lite_files, dataset_path, tmp_path, refuses):
    lite = lite_files[0]
    refuses(lambda: export_tflite(lite, tmp_path, export_files.Options(data=dataset_path, pairs=2)), "validation")
    assert not list(tmp_path.iterdir())
