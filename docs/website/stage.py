"""Collects the pages into one folder, in the repository's own layout, so that relative links stay as they are.

What is added: a page for each file of code or folder that a page leads to, and one for each notebook.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path, PurePosixPath

from website.notebooks import to_markdown

PAGES = ("README.md", "docs/**/*.md", "benchmarks/results/**/*.md", "notebooks/*.ipynb", "demo/README.md",
         "harmonizer/weights/README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")  # fmt: skip
STYLE = "docs/website/site.css"
PICTURES = {".jpg", ".png", ".svg", ".webp"}
LANGUAGES = {".py": "python", ".json": "json", ".toml": "toml", ".jsonl": "json"}
FENCE = re.compile(r"^(```|~~~).*?^\1 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(?=[)\s])")
NOT_SEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"


class MissingError(Exception):
    """A page leads to a file that is not there."""


def stage(root: Path, out: Path) -> list[str]:
    """Copy the pages of the repository `root`, and all that they lead to, to the folder `out`; their names there."""
    shutil.rmtree(out, ignore_errors=True)
    staged: set[str] = set()
    pages = sorted({path.relative_to(root).as_posix() for pattern in PAGES for path in root.glob(pattern)})
    for page in pages:
        _page(root, out, page, staged)
    _copy(root, out, STYLE)
    return sorted(staged)


def page_of(path: str) -> str:
    """The name of the page that shows a file of the repository."""
    folder, _, name = path.rpartition("/")
    if name == "README.md":
        return f"{folder}/index.md".removeprefix("/")
    return path if name.endswith(".md") else f"{path.removesuffix('.ipynb')}.md"


def _page(root: Path, out: Path, path: str, staged: set[str]) -> None:
    name = page_of(path)
    if name in staged:
        return
    staged.add(name)
    target = out / name
    target.parent.mkdir(parents=True, exist_ok=True)
    source = root / path
    if path.endswith(".md"):
        text = source.read_text(encoding="utf-8")
    elif path.endswith(".ipynb"):
        text = to_markdown(source, target.with_suffix(""))
    elif source.is_dir():
        text = _listing(source, path)
    else:
        language = LANGUAGES.get(source.suffix, "text")
        code = source.read_text(encoding="utf-8")
        target.write_text(f"{NOT_SEARCHED}# {source.name}\n\n````{language}\n{code}````\n", encoding="utf-8")
        return
    target.write_text(_links(root, out, path, text, staged), encoding="utf-8")


def _listing(folder: Path, path: str) -> str:
    files = sorted(file.name for file in folder.iterdir() if file.is_file() and file.suffix in LANGUAGES)
    rows = "".join(f"* [{name}]({folder.name}/{name})\n" for name in files)
    return f"{NOT_SEARCHED}# {path}\n\n{rows}"


def _links(root: Path, out: Path, path: str, text: str, staged: set[str]) -> str:
    """The text with each link changed to the page of what it leads to, which is staged too."""
    folder = PurePosixPath(path).parent

    def follow(found: re.Match[str]) -> str:
        start, link, anchor = found[1], found[2], found[3] or ""
        if re.match(r"[a-z]+:", link):
            return found[0]
        there = os.path.normpath(folder / link)
        if (out / there).suffix in PICTURES and (out / there).exists():  # of a notebook
            return found[0]
        if not (root / there).exists():
            raise MissingError(f"{path} leads to {link}, which is not there")
        if Path(there).suffix in PICTURES:
            _copy(root, out, there)
            return found[0]
        _page(root, out, there, staged)
        return f"{start}{os.path.relpath(page_of(there), PurePosixPath(page_of(path)).parent)}{anchor}"

    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [LINK.sub(follow, text[end : fence.start()]), fence[0]]
        end = fence.end()
    for picture in re.findall(r'<img src="([^"]+)"', text):
        _copy(root, out, os.path.normpath(folder / picture))
    return "".join([*parts, LINK.sub(follow, text[end:])])


def _copy(root: Path, out: Path, path: str) -> None:
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / path, out / path)
