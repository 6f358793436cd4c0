"""HTML pages, read, and a dataset of several shards."""

from html.parser import HTMLParser

import pytest

VOID = {"meta", "img", "source"}


class Page(HTMLParser):
    """Checks that tags are balanced; collects text, pictures and table rows."""

    def __init__(self, path):
        super().__init__()
        self.text, self.images, self.rows, self.warnings, self.remarks = "", [], [], [], []
        self._open = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.images.append(dict(attributes))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "li" and "ul" in self._open:
            self.warnings.append("")
        if tag == "mark":
            self.remarks.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        self.text += " "

    def handle_data(self, data):
        if "style" in self._open:
            return
        self.text += data
        for tag, parts in (("tr", self.rows and self.rows[-1]), ("ul", self.warnings), ("mark", self.remarks)):
            if tag in self._open and parts:
                parts[-1] += data

    @property
    def words(self):
        return " ".join(self.text.split())


@pytest.fixture
def read_page():
    """Reads an HTML file into a `Page`."""
    return Page


@pytest.fixture
def sharded(make_dataset, make_clip):
    """A dataset of six clips, each in a shard of its own."""
    dataset = make_dataset([make_clip(f"{i}", 2 + i, 64, 64) for i in range(6)], shard_limit=1)
    assert len(dataset.index.shards) == 6
    return dataset
