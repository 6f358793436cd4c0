"""People as rectangles of one colour, and a detector that finds them."""

import numpy as np

from tf_unseen_pose.pose.people import Detection

# Where 23 joints lie within a person's box, in parts of it.
PLACES = np.random.default_rng(4).uniform(0, 1, (23, 2))
PLACES[:2] = [[0, 0], [1, 1]]


def person(box, size):
    """Somebody who fills a box x0, y0, x1, y1 of a picture of (width, height)."""
    x0, y0, x1, y1 = box
    points = [x0, y0] + PLACES * [x1 - x0, y1 - y0]
    mask = np.zeros(size[::-1], np.uint8)
    mask[max(0, round(y0)) : max(0, round(y1) + 1), max(0, round(x0)) : max(0, round(x1) + 1)] = 255
    return Detection(np.float32(np.c_[points, np.ones(23), 0.1 * points[:, 0]]), mask)


def draw(size, *people):
    """uint8 [H, W, 3], black, with boxes filled by colours, the last in front."""
    image = np.zeros((*size[::-1], 3), np.uint8)
    for (x0, y0, x1, y1), colour in people:
        image[round(y0) : round(y1) + 1, round(x0) : round(x1) + 1] = colour
    return image


def finder(colours, least=0.0):
    """Finds people of these colours whose height is at least a part of the picture's."""

    def find(image):
        found = []
        for colour in colours:
            rows, columns = np.nonzero(np.abs(image.astype(int) - colour).max(axis=-1) < 40)
            if len(rows) > 4 and np.ptp(rows) + 1 >= least * image.shape[0]:
                box = columns.min(), rows.min(), columns.max(), rows.max()
                found.append(person(box, image.shape[1::-1]))
        return found

    return find


class Estimator:
    """What `PoseEstimator` has, of drawn people; the first of the colours is the most prominent."""

    def __init__(self, *colours, least=0.0):
        self.found = finder(colours, least)

    def detect(self, image):
        return next(iter(self.found(image)), None)
