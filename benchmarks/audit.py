"""`make audit`: known weaknesses of everything that is installed, by pip-audit.

pip-audit calls a package that no database could be asked about "skipped", and is content. Here that
is told for what it is: not audited.
"""

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOUND, NOT_AUDITED = 1, 3
"""Exit codes beside 0, all audited and nothing found."""
OWN = "humans4d"
SHOWN = 5


def main() -> int:
    """Audit what is installed here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--offline-ok", action="store_true", help="no database: warn, do not fail")
    asked = parser.parse_args()
    rows, said = _audited()
    if rows is None:
        return _not_audited(f"pip-audit did not end well: {said}", asked.offline_ok)
    weak = {row["name"]: row for row in rows if row.get("vulns")}
    skipped = [row["name"] for row in rows if "skip_reason" in row]
    for name, row in weak.items():
        for weakness in row["vulns"]:
            fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
            print(f"WEAK: {name} {row['version']}: {weakness['id']}, mended in {fixed}")
    if weak:
        return FOUND
    if skipped:
        names = ", ".join(skipped[:SHOWN]) + (", ..." if len(skipped) > SHOWN else "")
        text = f"{len(skipped)} of {len(rows)} packages are in no database within reach ({names})"
        return _not_audited(text, asked.offline_ok)
    print(f"audited: {len(rows)} packages, no known weakness")
    return 0


def _not_audited(reason: str, offline_ok: bool) -> int:
    print(f"NOT AUDITED: {reason}. Nothing is known of their weaknesses; run `make audit` where")
    print("pypi.org or api.osv.dev can be reached.")
    return 0 if offline_ok else NOT_AUDITED


def _audited() -> tuple[list[dict] | None, str]:
    """pip-audit's rows; None and its last words where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "installed.txt"
        listed.write_text("\n".join(_installed()), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--no-deps"]
        command += ["--disable-pip", "--format", "json", "--timeout", "10"]
        command += ["--progress-spinner", "off"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)["dependencies"], ""
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines()
        return None, lines[-1][:300] if lines else f"exit code {done.returncode}"


def _installed() -> list[str]:
    """Name and version of every installed package but our own; local build tags are left out."""
    found = {
        re.sub(r"[-_.]+", "-", item.metadata["Name"]).lower(): item.version.partition("+")[0]
        for item in importlib.metadata.distributions()
        if item.metadata["Name"]
    }
    return sorted(f"{name}=={version}" for name, version in found.items() if name != OWN)


if __name__ == "__main__":
    raise SystemExit(main())
