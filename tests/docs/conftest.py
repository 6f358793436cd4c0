"""The pages of the documentation, read as GitHub reads them."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# In reading order: commands of later pages take what those of earlier ones made.
_ORDER = (
    "README", "docs/README", "docs/quick-start", "docs/your-photo", "docs/your-videos", "docs/held-objects",
    "docs/datasets", "docs/training", "docs/evaluation", "docs/serving", "docs/devices", "docs/phones",
    "docs/how-it-works", "docs/commands", "docs/configuration", "docs/troubleshooting", "docs/responsible-use",
)  # fmt: skip
_PARSER = MarkdownIt("gfm-like", {"linkify": False})


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """As `docs/training`."""
        return str(self.path.relative_to(ROOT).with_suffix(""))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[tuple[str, str, int]]:
        """Language (of an indented block ""), content and line of every block of code."""
        tokens = _PARSER.parse(self.text)
        return [(t.info.strip(), t.content, t.map[0] + 1) for t in tokens if t.type in ("fence", "code_block")]

    @property
    def commands(self) -> list[str]:
        """The shell commands, one a line each: those of blocks `sh`, and whole ones of this program within the text."""
        found = []
        for token in _PARSER.parse(self.text):
            if token.type == "fence" and token.info.strip() == "sh":
                found += token.content.replace("\\\n", " ").splitlines()
            spans = (child.content for child in token.children or () if child.type == "code_inline")
            found += (span for span in spans if re.match(r"(python -m tf_unseen_pose|unseen-pose) [a-z]", span))
        return [re.sub(r"\s+", " ", line.strip()) for line in found if line.strip()]

    @property
    def links(self) -> list[str]:
        """Where links lead and where pictures lie."""
        inline = (child for token in _PARSER.parse(self.text) for child in token.children or ())
        found = (child.attrGet("href") or child.attrGet("src") for child in inline)
        return [str(target) for target in found if target]

    @property
    def anchors(self) -> set[str]:
        """What follows `#` in links to the headings."""
        tokens = _PARSER.parse(self.text)
        titles = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
        plain = (re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)
        return set(plain)

    @property
    def quotations(self) -> list[str]:
        """The text of every block quotation."""
        tokens = _PARSER.parse(self.text)
        opened = (i for i, token in enumerate(tokens) if token.type == "blockquote_open")
        # A quotation holds one paragraph: it, then its text.
        return [tokens[i + 2].content.replace("\n", " ") for i in opened]


@pytest.fixture(scope="session")
def root():
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def pages():
    """The README and all pages of docs/, by name, in reading order."""
    return {name: Page(ROOT / f"{name}.md") for name in _ORDER}
