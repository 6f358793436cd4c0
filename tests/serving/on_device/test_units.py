"""The page's own small tests, of what needs no browser."""

from pathlib import Path

PAGE = Path(__file__).parents[3] / "serving/on_device"


def test_the_page_passes_its_own_tests(node):
    files = sorted(str(file) for file in (PAGE / "test").glob("*.test.js"))
    assert "# fail 0" in node("--test", "--test-reporter=tap", *files)
