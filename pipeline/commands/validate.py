"""`humans4d validate`: does a result hold what the schema promises?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.console import ERR, OUT, print_json
from pipeline.errors import EXIT_OK, EXIT_OUTPUT, OutputError
from pipeline.result import ResultFolder
from pipeline.schema import person_problems
from pipeline.storage import read_npz

Target = Annotated[
    Path, typer.Argument(help="A result folder, or one person_NNN.npz.", show_default=False)
]


Json = Annotated[bool, typer.Option("--json", help="Print what is wrong as JSON.")]


def validate_command(result: Target, as_json: Json = False) -> int:
    """Check a result folder, or one person's file, against docs/schema.md."""
    if result.is_file():
        problems, checked = _file_problems(result), 1
    else:
        problems, checked = _folder_problems(ResultFolder(result))
    if as_json:
        print_json({"valid": not problems, "files": checked, "problems": problems})
        return EXIT_OUTPUT if problems else EXIT_OK
    for text in problems:
        ERR.print(text, highlight=False, markup=False, soft_wrap=True)
    if problems:
        return EXIT_OUTPUT
    OUT.print(f"{result}: valid ({checked} person file{'s' if checked != 1 else ''})")
    return EXIT_OK


def _folder_problems(folder: ResultFolder) -> tuple[list[str], int]:
    report = folder.read_report()
    files = [folder.path / person["file"] for person in report.get("people", [])]
    problems = [text for file in files for text in _file_problems(file)]
    problems += [text for person in report.get("people", []) for text in _listed(folder, person)]
    if report["status"] != "complete":
        problems.append(f"{folder.report_path}: the run is not complete; run it again to continue")
    for made in report.get("made", {}).values():
        for name in folder.changed(made["files"]):
            problems.append(f"{folder.path / name}: is gone or was changed; run the video again")
    unlisted = set((folder.path / "people").glob("person_*.npz")) - set(files)
    problems += [f"{file}: is not listed in run.json" for file in sorted(unlisted)]
    return problems, len(files)


def _listed(folder: ResultFolder, person: dict[str, Any]) -> list[str]:
    """A file whose number is not the one that run.json gives it."""
    file = folder.path / person["file"]
    try:
        number = int(read_npz(file)["person_id"])
    except (OutputError, LookupError, TypeError, ValueError):
        return []  # told by `_file_problems`
    listed = f"{file}: person_id is {number}, run.json lists it as person {person['id']}"
    return [] if number == person["id"] else [listed]


def _file_problems(file: Path) -> list[str]:
    try:
        return [f"{file}: {text}" for text in person_problems(read_npz(file))]
    except OutputError as error:
        return [str(error)]
