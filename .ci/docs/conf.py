"""Configuration of the site: `.ci/docs/build` makes it of the pages in examples/."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version as installed_version
from posixpath import dirname, join, normpath, relpath

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

project = "langchain-label-studio"
copyright = "langchain-label-studio contributors"  # noqa: A001 (Sphinx's name)
version = release = installed_version(project)

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_llm.txt",
]
root_doc = "README"
exclude_patterns = ["**/.ipynb_checkpoints"]

nb_execution_mode = "off"  # the tests run them
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Docstrings are Markdown-like: `name` is code.
default_role = "code"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_inherit_docstrings = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
python_display_short_literal_types = True
python_maximum_signature_line_length = 90
add_module_names = False

html_theme = "furo"
html_title = "langchain-label-studio"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
copybutton_exclude = ".linenos, .gp, .go"

llms_txt_description = (
    "A LangChain callback handler that makes a Label Studio task of every LLM run, and reads the reviews back as "
    "training data and reports."
)
llms_txt_full_build = True
llms_txt_build_parallel = False
llms_txt_nested_enabled = False
llms_txt_suffix_mode = "append"  # page.html.md
llms_txt_suppress_unknown_node_warnings = ["abbreviation"]

_PICTURE = re.compile(r"(!\[[^\]]*\]\()(?:[^)\s]*/)?([\w.-]+\.(?:png|svg)\))")
_LINK_TO_PAGE = re.compile(r"\[([^\]]+)\]\((\w[\w/-]*)\.(?:md|ipynb)\)")


def add_table_of_contents(app: Sphinx, docname: str, content: list[str]) -> None:
    """Append a hidden toctree for each section of the first page that links to pages, in its order."""
    if docname != app.config.root_doc:
        return
    listed: set[str] = set()
    for section in content[0].split("\n## ")[1:]:
        caption, _, text = section.partition("\n")
        pages = {page: title for title, page in _LINK_TO_PAGE.findall(text) if page not in listed}
        listed.update(pages)
        if pages:
            entries = "\n".join(f"{title} <{page}>" for page, title in pages.items())
            content[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def add_commands(app: Sphinx, docname: str, content: list[str]) -> None:
    """Append all commands with their options, as typer describes them."""
    if docname == "command_line":
        command = [
            sys.executable,
            *f"-m typer langchain_label_studio.cli utils docs --name {project}".split(),
        ]
        described = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        content[0] += described[described.index("\n## ") :]


class LinksOutOfTheSite(SphinxTransform):
    """Make plain text of links that leave examples/: their files are in the repository, not on the site."""

    default_priority = 5

    def apply(self) -> None:
        folder = dirname(self.env.docname)
        for link in list(self.document.findall(self._is_link)):
            target = link.get("reftarget") or link.get("refuri") or ""
            path = normpath(join(folder, target.partition("#")[0]))
            if path == "../README.md":  # the first page stands for it
                link["refdomain"], link["reftype"], link["reftarget"] = "doc", "myst", self.config.root_doc
            elif path.startswith("../") or path.endswith("/"):
                link.replace_self(nodes.inline("", "", *link.children))

    @staticmethod
    def _is_link(node: nodes.Node) -> bool:
        if not isinstance(node, addnodes.pending_xref | addnodes.download_reference | nodes.reference):
            return False
        return "://" not in (node.get("reftarget") or node.get("refuri") or "://")


def finish(app: Sphinx, error: Exception | None) -> None:
    """Make the site's address lead to its first page, and the Markdown twins to its files."""
    if error is not None or app.builder.format != "html":
        return
    first = app.builder.get_target_uri(app.config.root_doc)
    page = f'<!doctype html><meta http-equiv="refresh" content="0; url={first}"><a href="{first}">{project}</a>\n'
    (app.outdir / "index.html").write_text(page, encoding="utf-8")
    for twin in (*app.outdir.rglob("*.md"), app.outdir / "llms-full.txt"):
        root = relpath(".", twin.parent.relative_to(app.outdir).as_posix())
        text = _PICTURE.sub(rf"\1{root}/_images/\2", twin.read_text(encoding="utf-8"))
        text = text.replace("](_downloads/", f"]({root}/_downloads/")
        twin.write_text(
            text.replace(", , ", ", *, "), encoding="utf-8"
        )  # its writer knows no keyword-only mark


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", add_table_of_contents)
    app.connect("source-read", add_commands)
    app.connect("build-finished", finish, priority=900)  # after the twins
    app.add_transform(LinksOutOfTheSite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
