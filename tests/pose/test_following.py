import numpy as np
import pytest
from drawn_people import Estimator, draw, finder

from tf_unseen_pose.pose.estimation import _followed, estimate_video, find_person
from tf_unseen_pose.pose.following import Follower

SIZE = 400, 160
RED, GREEN = (200, 10, 10), (10, 180, 20)


def crossing(step=8, count=30):
    """The left edges of two who walk past each other, and the frames; the green one goes in front."""
    ways = [20 + step * np.arange(count), 310 - step * np.arange(count)]
    boxes = [[(x, 30, x + 40, 140), (y, 40, y + 40, 150)] for x, y in zip(*ways, strict=True)]
    return ways, [draw(SIZE, (red, RED), (green, GREEN)) for red, green in boxes]


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("alike", [False, True])
def test_who_crosses_another_is_still_followed(who, alike):
    """Also where both wear the same: by which way they were going. Who is behind is not seen for a while."""
    ways, frames = crossing()
    find = finder([RED, GREEN])
    people = [find(frames[0])[number] for number in (who, 1 - who)]
    shown = [np.where(frame.any(axis=-1)[..., None], np.uint8([90, 90, 90]), np.uint8(0)) for frame in frames]
    seen = {id(picture): find(frame) for picture, frame in zip(shown, frames, strict=True)}

    def find_alike(image):
        # Parts of pictures show nobody new.
        found = seen.get(id(image), [])
        overlapping = len(found) == 2 and abs(found[0].box[0] - found[1].box[0]) < 36
        return found[1:] if overlapping else found

    if alike:
        follower = Follower(people[0], people[1:], shown[0], find_alike)
        places = [follower(picture) for picture in shown[1:]]
    else:
        follower = Follower(people[0], people[1:], frames[0], find)
        places = [follower(frame) for frame in frames[1:]]
    for number in (5, -5, -1):
        assert abs(places[number].box[0] - ways[who][1:][number]) < 3, number


def test_who_leaves_is_not_replaced_by_another():
    find = finder([RED, GREEN])
    frames = [draw(SIZE, ((20, 30, 60, 140), RED), ((300, 30, 340, 140), GREEN))] * 3
    frames += [draw(SIZE, ((300, 30, 340, 140), GREEN))] * 3
    follower = Follower(*[find(frames[0])[0], find(frames[0])[1:]], frames[0], find)
    assert [follower(frame) is None for frame in frames[1:]] == [False, False, True, True, True]


def followed(frames, person=None, **options):
    found = _followed(iter(frames), Estimator(RED, GREEN, **options), person, "clip.mp4", "--driving-person")
    return [each and round(float(each.box[0])) for each in found]


def test_the_first_frame_with_people_chooses(caplog, refuses):
    ways, frames = crossing(count=6)
    frames = [frames[0] * 0, *frames]
    # Both are of one size, and the first is taken.
    assert followed(frames)[:3] == [None, 20, 28]
    assert "2 people were found in the first frame of clip.mp4" in caplog.text and "--driving-person" in caplog.text
    for choice in (2, (330.0, 100.0), (300.0, 30.0, 360.0, 160.0)):
        assert followed(frames, choice) == [None, *ways[1]]
    refuses(lambda: followed(frames, 3), "2 people were found in the first frame", "--driving-person 3 matches nobody")
    # Who is alone is told nobody.
    caplog.clear()
    assert followed([draw(SIZE, ((50, 30, 90, 140), GREEN))] * 3) == [50] * 3 and not caplog.text


def test_somebody_small_is_followed():
    boxes = [(200 + 2 * t, 60, 212 + 2 * t, 95) for t in range(5)]
    frames = [draw(SIZE, (box, GREEN)) for box in boxes]
    assert followed(frames, least=0.4) == [box[0] for box in boxes]


def test_a_person_of_a_video_has_poses_in_every_frame():
    ways, frames = crossing(step=1, count=12)
    joints = estimate_video(frames, 10, Estimator(RED, GREEN), person=2)
    assert joints.shape == (12, 23, 4) and abs(joints[-1, :, 0].min() - ways[1][-1]) < 2


def test_nobody_is_refused(refuses):
    blank, nobody = np.zeros((60, 80, 3), np.uint8), Estimator(RED)
    refuses(lambda: find_person(blank, "photo.jpg", nobody), "No person was found in photo.jpg")
    refuses(lambda: find_person(blank, "photo.jpg", nobody, (5, 5)), "No person was found in photo.jpg")
    refuses(lambda: estimate_video(iter([blank] * 3), 25, nobody, "clip.mp4"), "No person", "clip.mp4")
    refuses(lambda: estimate_video(iter([]), 25, nobody, "empty.mp4"), "No person", "empty.mp4")
