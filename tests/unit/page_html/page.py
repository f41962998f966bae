"""What a browser makes of the HTML of a page."""

from __future__ import annotations

from html.parser import HTMLParser

# What a panel is made of; no other tag and no other attribute is ever in one.
TAGS = frozenset({"div", "span", "details", "summary", "img"})
ATTRIBUTES = frozenset({"class", "dir", "alt", "src", "srcset", "loading", "referrerpolicy"})
MARKDOWN_TAGS = TAGS | {
    *(
        "a",
        "p",
        "br",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "em",
        "strong",
        "s",
        "code",
        "pre",
        "blockquote",
    ),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
MARKDOWN_ATTRIBUTES = ATTRIBUTES | {"href", "title", "target", "rel", "start", "style"}


class Page(HTMLParser):
    """What a browser makes of HTML: its text, its tags, its images."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.images = "", []
        self.links: list[str] = []
        self.titles: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]
        self.titles += [value for name, value in attrs if name == "title"]
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag not in {"br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
