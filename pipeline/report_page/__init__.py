"""report.html and report.json: how good a result is, for people and for programs."""

from pipeline.report_page.page import write_report

__all__ = ["write_report"]
