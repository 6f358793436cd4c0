"""What mkdocs has to be told to make the site of the same files that GitHub shows; `mkdocs.yml` names this file.

- The pages lie all over the repository. The site has those of the navigation and whatever they link to, at the same
  paths; code becomes a page that shows it, a notebook one with its text, code and outputs.
- Python-Markdown reads some lines otherwise than GitHub does (`_as_python_markdown`).
- Formulas are drawn here, by Matplotlib, so that a page needs no script and no font.
- Pictures are loaded when they are scrolled to.
"""

import html
import io
import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib
from matplotlib import mathtext
from matplotlib.font_manager import FontProperties
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
# Kinds of files that get a page, and the names of their languages.
_LANGUAGES = {".py": "python", ".js": "javascript", ".yaml": "yaml", ".ipynb": "", "": "text"}
_LINK = re.compile(r'(\]\(|(?:src|href)=")(?![a-z]+:|[#/])([^)"#\s]+)')
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
# In formulas: a colour that nothing else has, and how many points become an em; Computer Modern is small.
_INK, _POINTS = "#010203", 10.5


def on_files(files, config):
    """The files of the site in place of those of one folder."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    for path in sorted(_linked(_paths(config.nav))):
        if path.endswith(".md") or Path(path).suffix not in _LANGUAGES:
            files.append(File(path, str(ROOT), config.site_dir, config.use_directory_urls))
        else:
            files.append(File.generated(config, f"{path}.md", content=_page(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links to code lead to the pages that show it; the rest is read as GitHub reads it."""
    folder = posixpath.dirname(page.file.src_uri)

    def link(match):
        path = posixpath.normpath(posixpath.join(folder, match[2]))
        return match[0] + ".md" * (files.get_file_from_path(f"{path}.md") is not None)

    return _as_python_markdown(_LINK.sub(link, markdown))


def _as_python_markdown(markdown: str) -> str:
    """Lists begin after an empty line, and in tables a bar within code is not escaped."""
    parts, end = [], 0
    for match in [*_FENCED.finditer(markdown), None]:
        text = markdown[end : match.start() if match else None]
        text = re.sub(r"^(?![-*+] |\d+\. |[>|\s])(.+\n)(?=(?:[-*+]|\d+\.) )", r"\1\n", text, flags=re.MULTILINE)
        parts.append(re.sub(r"^\|.*", lambda row: _bars_in_code(row[0]), text, flags=re.MULTILINE))
        if match:
            parts.append(match[0])
            end = match.end()
    return "".join(parts)


def _bars_in_code(row: str) -> str:
    return re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "|"), row)


def on_page_content(content, page, config, files):
    """Formulas are drawn, pictures wait."""
    return _FORMULA.sub(_drawn, content).replace("<img ", '<img loading="lazy" ')


def _paths(nav) -> list[str]:
    """The pages of a navigation."""
    if isinstance(nav, str):
        return [nav]
    return [path for part in (nav.values() if isinstance(nav, dict) else nav) for path in _paths(part)]


def _linked(pages: list[str]) -> set[str]:
    """These pages and all files that they link to, and those that these link to."""
    found, todo = set(), list(pages)
    while todo:
        path = todo.pop()
        if path not in found and (ROOT / path).is_file():
            found.add(path)
            if path.endswith((".md", ".ipynb")):
                links = (match[2] for match in _LINK.finditer(_text(path)))
                todo += [posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) for link in links]
    return found


def _text(path: str) -> str:
    """A page's Markdown."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return "\n\n".join(_cells(json.loads(text))) if path.endswith(".ipynb") else text


def _page(path: str) -> str:
    """The page that shows a file; only notebooks are searched."""
    if path.endswith(".ipynb"):
        return _text(path)
    code = f"# {path}\n\n~~~~ {_LANGUAGES[Path(path).suffix]}\n{_text(path)}\n~~~~\n"
    return f"---\nsearch:\n  exclude: true\nhide: [toc]\n---\n{code}"


def _cells(notebook: dict) -> Iterator[str]:
    """The cells of a notebook and their outputs."""
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        yield source if cell["cell_type"] == "markdown" else f"~~~~ python\n{source}\n~~~~"
        for output in cell.get("outputs", ()):
            yield _output(output)


def _output(output: dict) -> str:
    if output["output_type"] == "stream":
        return f"~~~~ text\n{''.join(output['text'])}\n~~~~"
    data = output["data"]
    kind = next(iter(data))
    shown = "".join(data[kind])
    return f"![An output of the cell above](data:{kind};base64,{shown.strip()})" if kind.startswith("image/") else shown


def _drawn(match: re.Match) -> str:
    """A formula as pictures: one, or on a line of its own one for what stands between wide gaps, where it may break."""
    tag, formula = match[1], " ".join(html.unescape(match[2]).split())
    pictures = "&emsp; ".join(map(_picture, formula.split(r"\qquad")))
    label = html.escape(formula, quote=True)
    return f'<{tag} class="formula" role="img" aria-label="{label}" style="overflow: auto hidden">{pictures}</{tag}>'


def _picture(formula: str) -> str:
    """As SVG in the text's colour and size, on its line."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "path", "mathtext.fontset": "cm", "savefig.transparent": True}):
        depth = mathtext.math_to_image(f"${formula.strip()}$", file, FontProperties(size=12), format="svg", color=_INK)
    svg = re.sub(r".*?(?=<svg)|<metadata>.*?</metadata>", "", file.getvalue().decode(), count=2, flags=re.DOTALL)
    width, height = (float(re.search(rf'{side}="([\d.]+)pt"', svg)[1]) / _POINTS for side in ("width", "height"))
    place = f"width: {width:.3f}em; height: {height:.3f}em; vertical-align: {-depth / _POINTS:.3f}em; max-width: none"
    return svg.replace("<svg ", f'<svg style="{place}" ', 1).replace(_INK, "currentColor").strip()
