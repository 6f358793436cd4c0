from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.export.tflite.comparison import Task, measure_task
from tf_unseen_pose.export.tflite.examples import called_with, dataset_pairs


def test_pairs_of_a_dataset(lite_files, dataset_path):
    pairs = dataset_pairs(ClipDataset.open(dataset_path), lite_files[0].config, "train", 3)
    assert len(pairs) == 3
    inputs = called_with(pairs[0])
    assert {name: value.shape for name, value in inputs.items()} == {
        "image": (1, 64, 64, 3), "source_joints": (1, 14, 3), "target_joints": (1, 14, 4)
    }  # fmt: skip
    assert (inputs["target_joints"][0, :, :3] == pairs[0].target_joints[:, :3]).all()


def test_the_task_is_judged_by_evaluation(lite_files, lite_contents, dataset_path):
    contents = {name: lite_contents[name] for name in ("float32", "int8")}
    before = {name: {"psnr": 50.0} for name in contents}
    # One clip of two is set aside for validation.
    found = measure_task(before, contents, lite_files[0], ClipDataset.open(dataset_path), 2, Task(poses=False))
    assert set(found["int8"]) == {"psnr", "ssim_inside", "pairs"} and found["int8"]["pairs"] == 2
    assert abs(found["int8"]["ssim_inside"] - found["float32"]["ssim_inside"]) < 0.1
