"""Runs as inert HTML, for the pages of Label Studio: `render_panel`."""
