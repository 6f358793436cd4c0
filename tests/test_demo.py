from tf_unseen_pose.demo import demo
from tf_unseen_pose.images import load_image


def test_the_demo_leaves_a_picture_and_can_be_run_again(tmp_path):
    sheet = demo(tmp_path / "demo", minutes=0.05)
    assert sheet == tmp_path / "demo" / "demo.png"
    first = load_image(sheet)
    assert first.shape[1] > 8 * 192
    assert demo(tmp_path / "demo", minutes=0.05) == sheet
    assert (load_image(sheet) != first).any()  # it trained on
