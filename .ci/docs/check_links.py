"""Fails where a page of the built site links to a page, a file or a heading that is not there. No network."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_MARKDOWN_LINK = re.compile(r"\]\(([^)\s]+)\)")


class _Page(HTMLParser):
    """The ids of a page, and what it links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag is called and where it leads."""
        self.ids.update(value for name, value in attrs if name in {"id", "name"} and value)
        self.links.update(value for name, value in attrs if name in {"href", "src"} and value)


def broken_links(site: Path) -> list[str]:
    """Return each broken link as `page: link`."""
    pages = {path.resolve(): _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    if not pages:
        sys.exit(f"There is no page in {site}.")
    links = [(path, link) for path, page in pages.items() for link in page.links]
    links += [
        (path.resolve(), link)
        for path in (*site.rglob("*.md"), *site.rglob("llms.txt"))
        for link in _MARKDOWN_LINK.findall(path.read_text(encoding="utf-8"))
    ]
    broken = []
    for path, link in sorted(links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        anchor = unquote(parts.fragment)
        known = pages.get(target)
        if not target.exists() or (anchor and known and anchor not in known.ids):
            broken.append(f"{path.relative_to(site.resolve())}: {link}")
    return broken


if __name__ == "__main__":
    found = broken_links(Path(sys.argv[1]))
    print("\n".join(found) or "All links of the site lead somewhere.")
    sys.exit(bool(found))
