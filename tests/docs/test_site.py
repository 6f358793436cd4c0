"""The site, as `make docs` builds it: without a warning, with what GitHub shows, and with no script from elsewhere."""

import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

pytest.importorskip("material", reason="needs mkdocs-material: pip install -r requirements-docs.txt")
# What must be as often on a page here as on GitHub.
SHOWN = {"h1", "h2", "h3", "li", "table", "pre", "img", "em", "strong"}


class Article(HTMLParser):
    """Counts a page's elements, of the site's pages only those of the article."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.count = "<article" not in text, Counter()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.inside |= tag == "article"
        if self.inside and tag in SHOWN:
            self.count[tag] += 1

    def handle_endtag(self, tag):
        self.inside &= tag != "article"


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    # Without --quiet, which would also keep mkdocs from counting its warnings.
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=root, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def built(site, root):
    """The HTML of a file's page."""

    def read(path):
        place = site / path.parent.relative_to(root) / ("" if path.stem == "README" else path.name.removesuffix(".md"))
        return (place / "index.html").read_text(encoding="utf-8")

    return read


def test_pages_have_what_github_shows(pages, built):
    github = MarkdownIt("gfm-like", {"linkify": False})
    for page in pages.values():
        assert Article(built(page.path)).count == Article(github.render(page.text)).count, page.name


def test_bars_in_the_code_of_tables_are_not_escaped(pages, built):
    assert "N|X,Y" in built(pages["docs/commands"].path) and r"\|" not in built(pages["docs/commands"].path)


def test_formulas_are_drawn(pages, built):
    page = pages["docs/how-it-works"]
    html, formulas = built(page.path), re.findall(r"\$\$.+?\$\$|\$.+?\$", page.text, re.DOTALL)
    assert len(re.findall(r'class="formula"[^>]*><svg', html)) == len(formulas) > 10
    assert "\\(" not in html and "\\[" not in html


def test_pictures_wait_and_no_script_style_or_font_comes_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert text.count("<img ") == text.count('<img loading="lazy" '), page
        assert not re.findall(r'<(?:script|link|iframe)[^>]*(?:src|href)="https?:[^>]*', text), page


def test_code_and_notebooks_that_pages_link_to_are_shown(pages, built, root):
    assert 'href="../../tf_unseen_pose/model/generator.py/"' in built(pages["docs/how-it-works"].path)
    code = re.sub("<[^>]+>", "", built(root / "tf_unseen_pose" / "model" / "generator.py"))
    assert "class Generator(PoseModel):" in code
    assert "data:image/gif;base64" in built(root / "colab" / "repose_a_photo.ipynb")
