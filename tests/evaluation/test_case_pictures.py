import numpy as np
from scipy import ndimage

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation.case_pictures import case_rows
from tf_unseen_pose.evaluation.metrics import head_length
from tf_unseen_pose.imaging.affine import invert, transform_points
from tf_unseen_pose.imaging.crop import common_crop
from tf_unseen_pose.known_skeletons import PERSON


def test_people_and_faces_are_cut_out_of_the_photos(evaluation):
    pair = evaluation.within.samples[0]
    photos = evaluation.reader.photos(pair)
    people, faces = case_rows(evaluation, pair, 128)
    assert [name for name, _ in people] == ["source", "target", "judged"]
    assert {picture.shape for _, picture in (*people, *faces)} == {(128, 128, 3)} and len(faces) == 3
    # The canvas is 64 pixels wide: a pixel of it is two of a panel.
    canvas = common_crop([photos.source_joints, photos.target_joints], PERSON, 64, 64, 1.14)
    _compare(people[1][1], photos.target, lambda points: 2 * transform_points(invert(canvas), points) + 0.5)
    middle = photos.target_joints[:2, :2].mean(axis=0)
    enlarged = 128 / (1.5 * head_length(photos.target_joints, PERSON))
    _compare(faces[1][1], photos.target, lambda points: enlarged * (points - middle) + 63.5)


def _compare(panel, photo, to_panel):
    """What a panel has at the places of a photo's pixels, sampled by SciPy, is like the photo."""
    places = to_panel(np.moveaxis(np.indices(photo.shape[1::-1]), 0, -1).reshape(-1, 2).astype(float))
    shown = ((places > 2) & (places < 125)).all(axis=1)
    assert shown.sum() > 30
    found = [ndimage.map_coordinates(panel[..., i].astype(float), places[shown].T[::-1], order=1) for i in range(3)]
    pixels = photo.transpose(1, 0, 2).reshape(-1, 3)[shown]
    assert np.abs(np.stack(found, axis=1) - pixels).mean() < 4


def test_canvases_are_shown_where_there_is_no_whole_photo(evaluation, monkeypatch):
    pair, model = evaluation.within.samples[0], evaluation.models["judged"]

    def refuse(*_):
        raise UserError("outside")

    for repose in (None, refuse):
        monkeypatch.setattr(model, "repose", repose)
        (row,) = case_rows(evaluation, pair, 128)
        assert [name for name, _ in row] == ["source", "target", "judged", "copying the source", "warp only"]
        np.testing.assert_array_equal(row[0][1], evaluation.reader.within(pair).source)
