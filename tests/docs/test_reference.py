"""The pages of reference say what the code does."""

from docs.reference import FOLDER, pages
from tf_unseen_pose.config import load_config


def test_the_committed_pages_are_what_the_code_says():
    for name, content in pages().items():
        written = (FOLDER / name).read_text(encoding="utf-8")
        assert written == content, f"docs/{name} is out of date; run 'python -m docs.reference'."


def test_nothing_is_left_out():
    commands, configuration = pages()["commands.md"], pages()["configuration.md"]
    for name in ("synthesize", "animate", "prepare", "train", "evaluate", "export", "serve", "demo", "import-posewarp"):
        assert f"\n## {name}\n" in commands
    assert (
        "`--retarget`, `--no-retarget`" in commands
        and "| `-o`, `--output` `PATH` | Image to write (required). |" in commands
    )

    for section, settings in load_config("lite").model_dump().items():
        assert f"\n## {section}\n" in configuration
        inner = (key for value in settings.values() if isinstance(value, dict) for key in value)
        for key in (*settings, *inner):
            assert f"| `{key}` |" in configuration, key


def test_every_setting_and_option_says_what_it_is_for():
    for name, content in pages().items():
        rows = [line for line in content.splitlines() if line.startswith("| `")]
        assert len(rows) > 60
        for row in rows:
            assert row.rstrip("| ").count(" | ") >= 1 and not row.endswith("|  |"), f"{name}: {row}"
