"""Reports: which model answers better, and how far the reviewers agree. Begin with `build_report`."""

from langchain_label_studio.report.build import build_report
from langchain_label_studio.report.report import Report

__all__ = ["Report", "build_report"]
