"""Links lead somewhere, pages are found, pictures are small and used."""

import re
from pathlib import Path

from PIL import Image


def targets(page):
    """Files that a page's relative links lead to, each with what follows `#`."""
    for link in page.links:
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            yield link, (page.path.parent / path).resolve() if path else page.path, anchor


def test_every_page_is_in_the_reading_order(pages, root):
    assert {page.path for page in pages.values()} == {root / "README.md", *(root / "docs").glob("*.md")}


def test_relative_links_and_anchors_exist(pages, root):
    by_path, seen = {page.path: page for page in pages.values()}, 0
    for page in pages.values():
        for link, path, anchor in targets(page):
            seen += 1
            assert path.exists() and path.is_relative_to(root), f"{page.name}: {link}"
            if anchor:
                other = by_path.get(path) or type(page)(path)
                assert anchor in other.anchors, f"{page.name}: {link}"
    assert seen > 100


def test_every_page_is_reached_from_the_readme(pages):
    reached, todo = set(), [pages["README"].path]
    by_path = {page.path: page for page in pages.values()}
    while todo:
        path = todo.pop()
        if path in by_path and path not in reached:
            reached.add(path)
            todo += [target for _, target, _ in targets(by_path[path])]
    assert reached == set(by_path)


def test_the_code_of_every_stage_is_two_clicks_from_the_readme(pages, root):
    first = {path for _, path, _ in targets(pages["README"])}
    how = pages["docs/how-it-works"]
    assert how.path in first
    second = {path for _, path, _ in targets(how)}
    package = root / "tf_unseen_pose"
    files = ["skeleton", "geometry/pose_maps", "geometry/warping", "imaging/crop", "imaging/compositing"]
    models = "generator", "copying_generator", "compact_unet", "unet", "layers", "directional_fill", "exemplar_fill"
    files += [f"model/{name}" for name in models]
    files += ["training/losses"]
    for name in files:
        assert package / f"{name}.py" in second, name


def test_pictures_are_small_described_and_used(pages, root):
    used = {path for page in pages.values() for _, path, _ in targets(page)}
    for path in (root / "docs" / "pictures").iterdir():
        assert path in used, f"no page shows {path.name}"
        with Image.open(path) as picture:
            assert picture.width <= 1600
            moves = getattr(picture, "is_animated", False)
        assert path.stat().st_size < (2_000_000 if moves else 250_000), path.name
    for page in pages.values():
        for description, _ in re.findall(r"!\[(.*?)\]\((.*?)\)", page.text, re.DOTALL):
            assert len(description) > 20, f"{page.name}: a picture without a description"


def test_pages_speak_of_files_that_exist(pages, root):
    """Names of the repository's files in code spans, as `configs/lite.yaml`."""
    folders = "|".join(("configs", "benchmarks", "serving", "tests", "docs", "saved_models/lite"))
    for page in pages.values():
        for name in re.findall(rf"`((?:{folders})/[\w./-]+\.\w+)`", page.text):
            assert Path(root / name).exists(), f"{page.name}: {name}"
