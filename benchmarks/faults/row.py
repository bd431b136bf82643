"""A row of the table of faults."""

from dataclasses import dataclass

from benchmarks.faults.runs import Ended

HEAD = "| fault | the run | stages + chunks + segments + parts left | rerun |\n|---|---|---|---|\n"


@dataclass(frozen=True)
class Row:
    """One fault and what came of it."""

    fault: str
    ended: str
    """Exit code and message, or that it was killed."""
    kept: str
    wrong: str
    """What is wrong after the rerun; empty: nothing."""

    @classmethod
    def of_error(cls, fault: str, ended: Ended, kept: str, wrong: str) -> "Row":
        """A run that had to end with an error of its own: a code and a line, no traceback."""
        if "Traceback" in ended.said:
            wrong = f"a traceback; {wrong}"
        if ended.exit_code in (0, 1) or ended.exit_code < 0:
            wrong = f"exit code {ended.exit_code}; {wrong}"
        return cls(fault, f"{ended.exit_code}: {ended.in_one_line}", kept, wrong)

    def line(self) -> str:
        """The row in Markdown."""
        cells = (self.fault, self.ended, self.kept, self.wrong or "identical")
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |\n"
