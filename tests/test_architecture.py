"""The arrows point one way: stages know `pipeline`, never each other; the CLI starts quickly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGE_FILES = sorted((ROOT / "stages").glob("*/**/*.py"))
PIPELINE_FILES = sorted((ROOT / "pipeline").rglob("*.py"))


def _imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", STAGE_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_stages_never_import_each_other(file):
    own = file.relative_to(ROOT / "stages").parts[0]
    others = {n for n in _imports(file) if n.startswith("stages.") and n.split(".")[1] != own}
    assert not others


@pytest.mark.parametrize("file", PIPELINE_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pipeline_reaches_stages_only_by_name(file):
    assert not {name for name in _imports(file) if name.split(".")[0] == "stages"}


def test_a_run_with_nothing_to_do_imports_nothing_heavy():
    code = (
        "import sys; import pipeline.cli; "
        "print([m for m in ('torch', 'numba', 'cv2', 'scipy', 'av') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
