"""Reports: which model answers better, and how far the reviewers agree. Pure: reviews in, numbers and pages out."""

from langchain_label_studio.report.build import build_report
from langchain_label_studio.report.report import Report

__all__ = ["Report", "build_report"]
