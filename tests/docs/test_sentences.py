"""What the troubleshooting page quotes is still what the program says."""

import ast
import re

import pytest

# More words than a file's name, a number or the system's reason have: these must be the program's, too.
_SHORT = 5
# What fixed text a sentence must have at least, to be recognised by it.
_LEAST_TEXT = 12


def templates(root):
    """Patterns of all strings of the package; what is filled in later is a group."""
    found = set()
    for path in (root / "tf_unseen_pose").rglob("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        names = dict(filter(None, map(_named_string, module.body)))
        for node in ast.walk(module):
            if isinstance(node, ast.JoinedStr):
                texts = [_text(part, names) for part in node.values]
            else:
                texts = [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
            if sum(len(text) for text in texts if text) >= _LEAST_TEXT:
                found.add(re.compile("".join("(.*?)" if text is None else re.escape(text) for text in texts)))
    return found


def _named_string(statement):
    """(name, string) of a module's constant."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
        name, value = statement.targets[0], statement.value.value
        if isinstance(value, str) and isinstance(name, ast.Name):
            return name.id, value
    return None


def _text(part, names):
    """A part of an f-string, None where it is filled in later."""
    if isinstance(part, ast.Constant):
        return part.value
    return names.get(part.value.id) if isinstance(part.value, ast.Name) else None


def is_said(sentence, known):
    """Whether the sentence is one of the patterns, and long parts that are filled in are patterns as well."""
    for pattern in known:
        match = pattern.fullmatch(sentence)
        if match and all(_is_filled_in(part, known) for part in match.groups()):
            return True
    return False


def _is_filled_in(part, known):
    return len(part.split()) <= _SHORT or re.fullmatch(r"\w+(, \w+)*", part) or is_said(part, known)


@pytest.fixture(scope="module")
def known(root):
    return templates(root)


def test_quoted_sentences_are_the_programs(pages, known):
    quoted = pages["docs/troubleshooting"].quotations
    assert len(quoted) > 25
    for sentence in quoted:
        assert is_said(sentence, known), sentence


def test_the_check_tells_other_sentences_apart(known):
    assert is_said("There is no file me.jpg; name an existing photo.", known)
    for other in (
        "There is no file me.jpg; name another photo.",
        "data/me has no clip for validation; try another day and see whether it has one.",
        "No such thing was ever said by anybody.",
    ):
        assert not is_said(other, known), other
