"""The pages of the documentation, read as GitHub reads them, and what their readers have."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from authors_file import write_authors_file
from markdown_it import MarkdownIt

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.inference.bundled import FOLDER
from tf_unseen_pose.known_skeletons import GOLF, PERSON
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.pose.pose_files import Poses, read_poses, write_poses

ROOT = Path(__file__).parents[2]
# In reading order: commands of later pages take what those of earlier ones made.
_ORDER = (
    "README", "docs/README", "docs/quick-start", "docs/your-photo", "docs/your-videos", "docs/held-objects",
    "docs/datasets", "docs/training", "docs/evaluation", "docs/serving", "docs/devices", "docs/phones",
    "docs/how-it-works", "docs/glossary", "docs/inputs", "docs/commands", "docs/configuration", "docs/troubleshooting",
    "docs/responsible-use",
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


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, root):
    """What a reader has beside the repository, small."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "configs").symlink_to(root / "configs")
    for name in ("me", "somebody", "room"):
        shutil.copy(FOLDER / "person.jpg", folder / f"{name}.jpg")
    photo = load_image(FOLDER / "person.jpg")
    for name in ("us", "them"):
        save_image(folder / f"{name}.jpg", np.concatenate([photo, photo], axis=1))
    motion = read_poses(FOLDER / "motion.json", PERSON)
    write_poses(folder / "poses.json", Poses(motion.joints[:3], motion.width, motion.height, 10))
    with VideoWriter(folder / "me-at-home.mp4", 10) as writer:
        for _ in range(3):
            writer.write(photo)
    film(folder / "me.mp4", 4, "dance")
    film(folder / "dance.mp4", 5, "dance")
    for name, seed in (("dance", 6), ("kick", 7)):
        (folder / "videos" / name).mkdir(parents=True)
        film(folder / "videos" / name / "one.mp4", seed, name)
    source, target = (list(synthetic_clip(2, 6, 100, 140, skeleton=GOLF))[i] for i in (0, 4))
    save_image(folder / "golfer.jpg", source.image)
    for name, frame in (("golfer", source), ("swing", target)):
        write_poses(folder / f"{name}.json", Poses(frame.joints[None], 140, 100))
    paper = build_generator(load_config("paper", ["model.background_fill=zero"]).model)
    write_authors_file(paper, folder / "vgg_100000.h5")
    return folder


def film(path, seed, action):
    with VideoWriter(path, 10) as writer:
        for frame in synthetic_clip(seed, 8, 240, 320, action):
            writer.write(frame.image)
