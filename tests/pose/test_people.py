import pytest
from drawn_people import person

from tf_unseen_pose.pose.people import checked_choice, distinct, index_of, is_alone, parse_choice, told

SIZE = 300, 200
LEFT, MIDDLE, RIGHT = (person(box, SIZE) for box in ((10, 60, 50, 160), (100, 20, 180, 190), (200, 90, 240, 150)))


def test_people_count_from_the_left_and_once():
    blurred = person((104, 24, 182, 186), SIZE)
    assert distinct([RIGHT, MIDDLE, LEFT, blurred]) == [LEFT, MIDDLE, RIGHT]
    unseen = person((250, 20, 290, 190), SIZE)
    unseen.joints[11:, 2] = 0.3
    assert distinct([unseen, LEFT]) == [LEFT]


@pytest.mark.parametrize(
    "choice, expected",
    [(None, 1), (1, 0), (3, 2), (4, None), ((30.0, 100.0), 0), ((239.6, 149.0), 2), ((60.0, 100.0), None),
     ((-20.0, 900.0), None), ((195.0, 80.0, 250.0, 160.0), 2), ((90.0, 10.0, 260.0, 195.0), 1),
     ((255.0, 10.0, 290.0, 80.0), None)],
)  # fmt: skip
def test_numbers_points_and_boxes_choose(choice, expected):
    assert index_of([LEFT, MIDDLE, RIGHT], choice) == expected


def test_a_point_is_whose_mask_has_it_else_the_smallest_box():
    behind, before = person((20, 10, 120, 190), SIZE), person((60, 60, 100, 150), SIZE)
    assert index_of([behind, before], (70.0, 100.0)) == 0
    behind.mask[60:151, 60:101] = 0
    assert index_of([behind, before], (70.0, 100.0)) == 1
    for each in (behind, before):
        each.mask[:] = 0
    assert index_of([behind, before], (70.0, 100.0)) == 1


def test_what_shows_a_person_is_the_largest_part_of_the_mask_or_else_the_box():
    both = person((20, 10, 90, 160), SIZE)
    both.mask[100:180, 150:156] = 255
    both.mask[12, 20:40] = 100
    assert both.extent.tolist() == [20, 10, 90, 160]
    both.mask[:, 60:] = 0
    assert both.extent.tolist() == [20, 10, 59, 160]
    both.mask[:] = 127
    assert both.extent.tolist() == pytest.approx([20, 10, 90, 160])


def test_choices_are_read(refuses):
    assert [parse_choice(text) for text in (None, "2", "3, 4.5", "1,2,30,40")] == [None, 2, (3, 4.5), (1, 2, 30, 40)]
    for text in ("0", "-1", "x", "1,2,3", "30,2,1,40", "1,nan", "", "1.5"):
        refuses(lambda text=text: parse_choice(text), f"'{text}' does not choose a person", "a point x,y")
    refuses(lambda: checked_choice((1.0,)), "'(1.0,)' does not choose a person")


def test_passers_by_are_nobody_to_choose():
    assert is_alone(MIDDLE, [LEFT, MIDDLE, person((100, 20, 178, 188), SIZE)]) is True
    assert is_alone(LEFT, [LEFT, MIDDLE]) is False


def test_what_was_chosen_is_said():
    assert told(3, 1, None, "me.jpg", "--person") == (
        "3 people were found in me.jpg; the largest, second from the left, is used; choose with --person."
    )
    assert told(12, 10, 11, "it", "person") == "12 people were found in it; the number 11 from the left is used."
