import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import report
from tf_unseen_pose.evaluation.metric_columns import BY_KEY
from tf_unseen_pose.evaluation.metric_table import MetricTable
from tf_unseen_pose.evaluation.summary import summary
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.known_skeletons import GOLF


class Page(HTMLParser):
    """Checks that tags are balanced; collects text, pictures, links and table rows."""

    def __init__(self, text):
        super().__init__()
        self.text, self.images, self.rows, self.bold, self.addresses, self._open = "", [], [], [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.addresses += [attributes[key] for key in ("src", "href", "srcset") if key in attributes]
        if tag == "img":
            self.images.append(attributes["src"])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in ("meta", "img"):
            self._open.append(tag)
        assert tag not in ("script", "link")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" in self._open:
            return
        self.text += data
        if self.rows and "tr" in self._open:
            self.rows[-1][-1] += data
        if "strong" in self._open:
            self.bold.append(data)


@pytest.fixture(scope="module")
def written(evaluation, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "out"
    assert report.write_report(evaluation, path) == path / "report.html"
    return path


@pytest.fixture(scope="module")
def page(written):
    return Page((written / "report.html").read_text(encoding="utf-8"))


def test_the_page_is_whole_and_needs_no_other_file(page, written):
    names = ["cases.png", "report.html", "report.json", "table.md"]
    assert sorted(file.name for file in written.iterdir()) == names
    assert all(address.startswith("data:image/") for address in page.addresses)
    source = (written / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", source)
    assert "two & <b>" in page.text and "<b>" not in source


def test_the_numbers_are_those_of_the_json(page, written, evaluation):
    numbers = json.loads((written / "report.json").read_text())
    assert numbers == summary(evaluation)
    (row,) = (row for row in page.rows if row[0].startswith("PSNR inside the person"))
    for cell, method in zip(row[1:], ("judged", "copy", "warp"), strict=False):
        estimate = numbers["within"]["all"]["psnr_inside"][method]
        for shown, key in zip(re.findall(r"[\d.]+", cell), ("mean", "low", "high"), strict=True):
            # The JSON has six digits, and a tie is decided by those behind them.
            assert shown in {f"{estimate[key] + rest:.2f}" for rest in (-5e-5, 5e-5)}
    best = max(numbers["within"]["all"]["psnr_inside"].values(), key=lambda estimate: estimate["mean"])
    assert f"{best['mean']:.2f}" in page.bold


def test_the_tables_have_a_row_a_method(written):
    numbers = json.loads((written / "report.json").read_text())["within"]["all"]
    *parts, last = (written / "table.md").read_text(encoding="utf-8").strip().split("\n\n")
    canvases, photos = (part.splitlines() for part in parts)
    for (header, _, *rows), metrics, methods in (
        (canvases, {"ssim_inside": "↑", "background": "↓"}, {"copying the source": "copy", "warp only": "warp"}),
        (photos, {"sharpness": "↑", "hole_error": "↓"}, {"judged": "judged", "copying the source": "copy"}),
    ):
        names = [cell.strip() for cell in header.split("|")[1:-1]]
        cells = {row.split("|")[1].strip(): row.split("|")[2:-1] for row in rows}
        assert list(cells)[:2] == ["judged", "copying the source"]
        for label, method in methods.items():
            for metric, arrow in metrics.items():
                column = names.index(f"{BY_KEY[metric].label} {arrow}") - 1
                shown = [float(number) for number in re.findall(r"[\d.]+", cells[label][column])]
                expected = [numbers[metric][method][key] for key in ("mean", "low", "high")]
                np.testing.assert_allclose(shown, expected, atol=0.006)
    # Warping alone makes no whole photo: its cells are empty.
    (warped,) = (row for row in photos if row.startswith("| warp only"))
    assert not re.search(r"[0-9]", warped) and "7 pairs" in last


def test_pictures_are_strips_of_every_method(page, written, embedded):
    sizes = [embedded(uri) for uri in page.images]
    # Three plots; 7 pairs are shown once each, people above faces, and 7 across actions, on canvases.
    assert sizes.count((691, 432)) == 4 and len(sizes) == 4 + 7 + 7
    assert sizes.count((3 * (384 + 4) + 4, 2 * (384 + 4 + 18) + 4)) == 7
    assert sizes.count((5 * (192 + 4) + 4, 192 + 18 + 8)) == 7
    sheet = load_image(written / "cases.png")
    assert sheet.shape == (2 * 7 * (256 + 4 + 18) + 4, 3 * (256 + 4) + 4, 3) and sheet.std() > 10


def test_what_a_reader_must_know_is_said(page, evaluation):
    for words in (
        "Only 3 clips",
        "person is missing in",
        "--features-weights",
        "No poses were looked for",
        "11 × 11 Gaussian",
    ):
        assert words in " ".join(page.text.split()), words
    golf = SimpleNamespace(skeleton=GOLF)
    bare = replace(evaluation, sequences=None, across=None, left_out=2, dataset=golf, unplaced=3, faces="None.")
    notes = " ".join(report._notes(bare))
    assert "Not judged as whole photos: 3 pairs" in notes and "None." in notes
    assert "no flicker" in notes and "2 poses" in notes and "'golf' cannot be found in pictures" in notes
    assert "cannot be found" not in page.text


def test_a_report_without_sequences_or_other_actions(evaluation, tmp_path):
    options = replace(evaluation.options, across=False)
    bare = replace(evaluation, options=options, sequences=None, across=None)
    report.write_report(bare, tmp_path / "bare")
    text = Page((tmp_path / "bare" / "report.html").read_text(encoding="utf-8")).text
    assert "Over time" not in text and "Pictures across actions" not in text


def table(metric, values):
    measured = [{"model": {metric.key: float(value)}} for value in values]
    return MetricTable.collect(
        [None] * len(values), range(len(values)), [""] * len(values), np.zeros(len(values)), ["model"], [metric],
        measured,
    )  # fmt: skip


def test_worst_and_best_cases():
    values = np.random.default_rng(0).permutation(25.0 + np.arange(25))
    worst, best, metric = report._ranked(table(BY_KEY["ssim_inside"], values))
    assert values[worst].tolist() == list(range(25, 35)) and values[best].tolist() == list(range(49, 39, -1))
    worst, best, metric = report._ranked(table(BY_KEY["vgg_inside"], values))
    assert metric.key == "vgg_inside" and values[worst].tolist() == list(range(49, 39, -1))
    # Of few pairs none is shown twice, and what was not measured is neither.
    worst, best, _ = report._ranked(table(BY_KEY["ssim_inside"], [3, 1, np.nan, 2]))
    assert (worst, best) == ([1, 3], [0])


def test_the_best_column_is_bold():
    def estimates(metric, **means):
        measured = [{name: {metric.key: mean} for name, mean in means.items()}]
        return MetricTable.collect([None], [0], [""], [0.0], [*means], [metric], measured).estimates(0)[metric.key]

    ssim, vgg, background = BY_KEY["ssim"], BY_KEY["vgg"], BY_KEY["background"]
    assert report._best(estimates(ssim, model=0.5, copy=0.7004, warp=0.7001), ssim) == {"copy", "warp"}
    assert report._best(estimates(vgg, model=0.5, copy=0.7), vgg) == {"model"}
    assert report._best(estimates(background, model=0.5, copy=0.0, warp=0.2), background) == {"warp"}
    error = BY_KEY["joint_error"]
    assert report._best(estimates(error, model=0.5, copy=1.0), error) == set()


def test_names_of_files_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("file", "report.html"):
        with pytest.raises(UserError, match="name a folder"):
            report.require_report_folder(tmp_path / name)
    with pytest.raises(UserError, match="no folder"):
        report.require_report_folder(tmp_path / "none" / "out")
    report.require_report_folder(tmp_path / "out")


def test_a_full_disk_leaves_what_was_there(written, evaluation, monkeypatch):
    before = {file.name: file.read_bytes() for file in written.iterdir()}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(UserError, match="No space left"):
        report.write_report(evaluation, written)
    assert {file.name: file.read_bytes() for file in written.iterdir()} == before
