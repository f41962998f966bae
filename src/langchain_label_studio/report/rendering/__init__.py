"""A report as a page or as Markdown. Begin with `html.render`."""
