import base64
import dataclasses
import hashlib
import io
import re

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.data import pose_plots, summary_page
from tf_unseen_pose.data.clips import Frame, encode_picture
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.summary_page import write_summary_page


def picture(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.split("base64,")[1])))


def changed(dataset, *clips, **fields):
    """The dataset with fields of its index, and of its clips in turn, changed."""
    entries = [clip.model_copy(update=update) for clip, update in zip(dataset.clips, clips, strict=True)]
    return ClipDataset(dataset.path, dataset.index.model_copy(update={"clips": tuple(entries), **fields}))


def with_frames(clip, change):
    """The clip with its frames changed one by one."""
    return dataclasses.replace(clip, frames=lambda frames=clip.frames: (change(frame) for frame in frames()))


def without_mask(frame):
    return dataclasses.replace(frame, mask_png=None)


@pytest.fixture
def drawn_plots(monkeypatch):
    """Real plots, which other tests do without."""
    monkeypatch.setattr(summary_page, "plot", pose_plots.plot)


@pytest.fixture
def warnings(read_page):
    return lambda dataset: read_page(write_summary_page(dataset)).warnings


@pytest.fixture
def sound(make_clip, make_dataset, monkeypatch):
    """A dataset that nothing is to be said against, but that nobody moves: 20 clips to train on, one for validation."""
    monkeypatch.setattr(summary_page, "SMALL_MOVEMENT", 0.0)
    monkeypatch.setattr(summary_page, "_SHOWN_CLIPS", 1)

    def make(change=lambda number, clip: clip):
        clips = [make_clip(f"clip-{i:02}", 10, action=("walk", "golf", "squat")[i % 3]) for i in range(21)]
        dataset = make_dataset([change(i, clip) for i, clip in enumerate(clips)], f"sound-{change.__name__}")
        return changed(dataset, *[{}] * 20, {"split": "validation"})

    return make


def test_numbers_equal_an_independent_count(make_clip, make_dataset, read_page):
    clips = [make_clip("a", 3, action="golf"), make_clip("b", 5, action="walk"), make_clip("c", 11, action="golf")]
    clips[1] = with_frames(clips[1], lambda frame: without_mask(frame) if frame.number % 2 else frame)
    dataset = changed(
        make_dataset(clips),
        {"person": "Ann", "rejected": {"blurred": 2}},
        {"person": "Bob", "rejected": {"blurred": 1, "nobody": 4}},
        {"person": "Bob", "split": "validation"},
        broken={"d": "the video ends early", "e": "no frames"},
    )
    page = read_page(write_summary_page(dataset))
    size = sum(file.stat().st_size for file in dataset.path.glob("*.tfrecord"))
    for fact in (
        "Clips 3 Frames 19 For training 2 clips people: 2 For validation 1 clip people: 1",
        "Frames per clip 5 median (3 to 11) With a mask 17 of 19 frames Rejected 7 frames and 2 clips",
        f"Size on disk {size / 1e6:.1f} MB",
        "Measured on 19 frames of 3 clips",
    ):
        assert fact in page.words
    assert page.rows == [
        ["Action", "Clips", "Frames"],
        ["golf", "2", "14"],
        ["walk", "1", "5"],
        ["Clip", "kept", "nobody", "blurred"],
        ["All clips", "19", "4", "3"],
        ["b", "5", "4", "1"],
        ["a", "3", "0", "2"],
        ["Clip", "Reason"],
        ["d", "the video ends early"],
        ["e", "no frames"],
    ]


def test_one_file_with_pictures_that_decode_and_say_what_they_show(make_clip, make_dataset, drawn_plots, read_page):
    dataset = make_dataset([make_clip("long", 25), make_clip("short", 2, height=96, width=170)])
    page = read_page(write_summary_page(dataset))
    assert not re.search(r"https?:|<script|<link|url\(", page.source)
    assert all(image["alt"] and picture(image["src"]).size[0] > 100 for image in page.images)
    thumbnails = [image for image in page.images if "frame" in image["alt"]]
    assert [int(re.search(r"frame (\d+)", image["alt"])[1]) for image in thumbnails] == [0, 5, 10, 14, 19, 24, 0, 1]
    assert {picture(image["src"]).size for image in thumbnails} == {(160, 160)}
    plots = re.findall(r'srcset="([^"]+)"', page.source)
    assert len(plots) == 6 == len(page.images) - len(thumbnails)
    for dark, image in zip(plots, page.images, strict=False):
        light, dark = (np.asarray(picture(uri).convert("RGBA"), float) for uri in (image["src"], dark))
        ink = (light[..., 3] > 200) & (light[..., :3].std(axis=-1) < 10)
        assert light[ink].mean() < dark[ink].mean() - 50


def test_names_are_escaped(make_clip, make_dataset, read_page):
    name = """<b>Tom & "Jerry's"</b>"""
    dataset = make_dataset([make_clip("tame", 3, action="<i>&amp;")])
    dataset = changed(dataset, {"name": name, "person": "<u>", "rejected": {"a<b": 9}}, broken={"<script>": """'"&"""})
    page = read_page(write_summary_page(dataset))
    for text in (name, "<i>&amp;", "<u>", "a<b", "<script>", """'"&"""):
        assert text in page.text
    assert name in page.images[-1]["alt"]


def test_the_same_dataset_gives_the_same_page(make_clip, make_dataset, drawn_plots):
    dataset = make_dataset([make_clip("a", 4), make_clip("b", 3)])
    first, second = (hashlib.sha256(write_summary_page(dataset).read_bytes()).hexdigest() for _ in range(2))
    assert first == second
    assert sorted(path.name for path in dataset.path.iterdir()) == [
        "dataset.json",
        "shard-00000.tfrecord",
        "summary.html",
    ]


def test_a_thumbnail_shows_crop_pose_and_mask(standing, make_clip, make_dataset, read_page):
    def half_masked(frame):
        image = np.full((240, 200, 3), (200, 40, 40), np.uint8)
        mask = np.zeros((240, 200), np.uint8)
        mask[:, :103] = 255
        return Frame(encode_picture(image, "JPEG"), standing, frame.number, mask_png=encode_picture(mask, "PNG"))

    page = read_page(write_summary_page(make_dataset([with_frames(make_clip("half", 2), half_masked)])))
    thumbnail = np.asarray(picture(page.images[-1]["src"]), int)
    # The person is 2.5 * 86 pixels large and shown at 1.14 * 200 of 256; the joints' box has its centre in the middle.
    step = 2.5 * 86 / (1.14 * 200) * 256 / 160
    column, row = ((np.array([101, 40]) - [(65 + 163) / 2, (33 + 207) / 2]) / step + 79.5).round().astype(int)
    assert thumbnail[row, column].min() > 200
    edge = round((102.5 - (65 + 163) / 2) / step + 79.5)
    below_the_feet = thumbnail[145:155]
    assert np.abs(below_the_feet[:, : edge - 6] - [200, 40, 40]).max() < 25
    assert np.ptp(below_the_feet[:, edge + 8 :], axis=-1).max() < 25
    outline = below_the_feet[..., 1].mean(axis=0).argmax()
    assert abs(outline - edge) <= 1 and below_the_feet[:, outline, 1].min() > 120


def test_a_sound_dataset_is_not_warned_of(sound, warnings):
    assert warnings(sound()) == []


def test_few_clips(sound, warnings):
    dataset = sound()
    (warning,) = warnings(changed(dataset, *[{}] * 19, {"split": "validation"}, {"split": "validation"}))
    assert warning.startswith("There are few clips to train on: 19. ")


def test_one_action_of_the_training_clips(sound, warnings):
    dataset = sound()
    (warning,) = warnings(changed(dataset, *[{"action": "golf"}] * 20, {"split": "validation", "action": "walk"}))
    assert "one action, 'golf'" in warning
    assert warnings(changed(dataset, *[{"action": ""}] * 20, {"split": "validation"})) == []


def test_short_clips_from_a_tenth_on(sound, warnings):
    def cut(dataset, *positions):
        return changed(
            dataset,
            *[{"frames": clip.frames[:9]} if i in positions else {} for i, clip in enumerate(dataset.clips)],
        )

    dataset = sound()
    assert warnings(cut(dataset, 4, 20)) == []
    (warning,) = warnings(cut(dataset, 4, 7))
    assert "fewer than 10 frames: 2 of 20 to train on (clip-04, clip-07)" in warning
    (warning,) = warnings(cut(dataset, *range(1, 10)))
    assert "(clip-01, clip-02, clip-03, clip-04, clip-05 and 4 more)" in warning


def test_no_validation_clips(sound, warnings):
    (warning,) = warnings(changed(sound(), *[{"split": "train"}] * 21))
    assert "No clip is kept for validation" in warning


def test_people_in_both_parts(sound, warnings):
    dataset = sound()
    (warning,) = warnings(changed(dataset, {"person": "Ann & Bo"}, *[{}] * 19, {"person": "Ann & Bo"}))
    assert "also in the validation clips: Ann & Bo." in warning


def test_no_masks(sound, warnings):
    def validation_only(number, clip):
        return clip if number == 20 else with_frames(clip, without_mask)

    (warning,) = warnings(sound(validation_only))
    assert "No frame to train on has a mask" in warning


def test_most_frames_rejected_for_one_reason(sound, warnings, read_page):
    dataset = sound()
    rest = [{}] * 20
    assert warnings(changed(dataset, {"rejected": {"blurred": 150, "nobody": 140}}, *rest)) == []
    (warning,) = warnings(changed(dataset, {"rejected": {"blurred": 1, "nobody": 212}}, *rest))
    assert "One reason rejected 212 of 423 frames, 'nobody'." in warning
    page = read_page(write_summary_page(changed(dataset, {"rejected": {"blurred": 7, "nobody": 4}}, *rest)))
    assert page.warnings == [] and page.remarks == ["52% rejected"]


def test_small_people(sound, warnings):
    def small(number, clip):
        return with_frames(clip, lambda frame: dataclasses.replace(frame, joints=frame.joints * [0.5, 0.5, 1]))

    (warning,) = warnings(sound(small))
    # 2.5 times the height of the head above the mean of the hips, (125 + 127) / 2 - 40.
    assert f"half of them less than {2.5 * 86 / 2:.0f} pixels tall" in warning


def test_joints_that_most_frames_lack(sound, warnings):
    def sitting(number, clip):
        def change(frame):
            joints = frame.joints.copy()
            # The left ankle is absent from six, the right from five of ten frames.
            joints[13, 2] = frame.number > 5
            joints[10, 2] = frame.number > 4
            return dataclasses.replace(frame, joints=joints)

        return with_frames(clip, change)

    (warning,) = warnings(sound(sitting))
    assert "Most frames lack left ankle." in warning


def test_poses_that_hardly_vary(standing, make_clip, make_dataset, read_page):
    """One joint of 14 moves from frame to frame; the way of all is its way / sqrt(14)."""
    size = 2.5 * 86

    def moving(way):
        def change(frame):
            joints = standing.copy()
            # The whole person moves too, which does not count.
            joints[:, :2] += 3 * frame.number
            joints[7, 0] += way * size * np.sqrt(14) * frame.number
            return dataclasses.replace(frame, joints=joints)

        return change

    ways = {"still": 0.0, "little": 0.049, "enough": 0.051}
    page = read_page(
        write_summary_page(make_dataset([with_frames(make_clip(n, 2), moving(w)) for n, w in ways.items()]))
    )
    (warning,) = [warning for warning in page.warnings if "hardly vary" in warning]
    assert "2 of 3 measured (still, little)" in warning
    assert page.remarks == ["hardly moves", "hardly moves"]
    assert re.findall(r"movement (\d+) %", page.words) == ["0", "5", "5"]


def test_where_the_hips_are_never_seen_movement_is_not_told(make_clip, make_dataset, drawn_plots, read_page):
    def change(frame):
        joints = frame.joints.copy()
        joints[8, 2] = 0
        return dataclasses.replace(frame, joints=joints)

    page = read_page(write_summary_page(make_dataset([with_frames(make_clip("bust", 3), change)])))
    assert "hips not seen" in page.words and "nan" not in page.words and page.remarks == []


def test_of_many_clips_the_first_are_shown(make_clip, make_dataset, monkeypatch, read_page):
    monkeypatch.setattr(summary_page, "_SHOWN_CLIPS", 2)
    monkeypatch.setattr(summary_page, "_MEASURED_CLIPS", 3)
    monkeypatch.setattr(summary_page, "_MEASURED_FRAMES", 10)
    page = read_page(write_summary_page(make_dataset([make_clip(f"clip-{i}", 5, action=str(i)) for i in range(20)])))
    assert "Shown are the first 2 of 20 clips." in page.words
    # The first, middle and last, and the second as it is shown; two frames each.
    assert "Measured on 8 frames of 4 clips" in page.words
    assert "8 more actions are not listed." in page.words


def test_a_page_that_cannot_be_written(make_clip, make_dataset, refuses):
    dataset = make_dataset([make_clip("a", 2)])
    (dataset.path / "summary.html").mkdir()
    refuses(lambda: write_summary_page(dataset), "summary.html")
