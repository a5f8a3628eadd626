"""Finds links of a built site that lead nowhere, and whatever a page would load from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "srcset"),
    ("use", "href"),
}
HOST = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}|127\.0\.0\.1|localhost", re.IGNORECASE)


class Page(HTMLParser):
    """What a page of HTML links to, what it loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors = {"", "__top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and anchors of one element."""
        for name, value in attrs:
            if name == "id" or (tag, name) == ("a", "name"):
                self.anchors.add(value or "")
            elif (tag, name) in LOADING:
                self.loaded.append(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")


def check(site: Path) -> list[str]:
    """One line for each mistake in the links of a folder's pages. Of links to other hosts the form alone is checked."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    mistakes = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links are those of the root, wherever it is shown
            continue
        name = path.relative_to(site.resolve())
        mistakes += [f"{name} loads {link} from elsewhere" for link in page.loaded if urlsplit(link).netloc]
        for link in [*page.links, *page.loaded]:
            mistake = _mistake(path, link, pages)
            if mistake:
                mistakes.append(f"{name} links to {link}: {mistake}")
    return mistakes


def _mistake(path: Path, link: str, pages: dict[Path, Page]) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in ("data", "mailto"):
        return None
    if parts.scheme or parts.netloc:
        sound = (
            parts.scheme in ("http", "https") and HOST.fullmatch(parts.hostname or "") and not re.search(r"\s", link)
        )
        return None if sound else "this is no address"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "there is no such file"
    if target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "there is no such anchor"
    return None
