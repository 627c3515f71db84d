"""Records the dbt artifacts in events/dbt/: runs this project, for real, on generated data, sound and broken.

Needs dbt-core and dbt-duckdb beside what the generator needs; README.md has the commands.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from faults import break_tables  # noqa: E402
from generate import ARTIFACTS, clean_tables, parquet_files  # noqa: E402

USERS = 2_000
SEED = 7
AS_OF = datetime(2026, 11, 20, 6, 0)
# Where dbt was run is nobody's business; everything else stays as dbt wrote it.
PLACES = ("project_dir", "profiles_dir", "log_path", "log_path_file", "target_path")


def lay_out(project: Path, scenario: str) -> None:
    """A copy of the project with the raw table of a scenario beside it."""
    shutil.copytree(
        HERE, project, ignore=shutil.ignore_patterns("*.py", "README.md", "target", "logs"), dirs_exist_ok=True
    )
    connection = clean_tables(USERS, SEED, AS_OF)
    break_tables(connection, scenario)
    raw = project / "raw"
    raw.mkdir(exist_ok=True)
    for name, content in parquet_files(connection, "raw", "id, system_modstamp").items():
        (raw / name).write_bytes(content)


def run_dbt(project: Path, command: str, exit_code: int, **variables: bool) -> dict[str, Any]:
    """One dbt command with the exit code it has to have; the run results it left."""
    arguments = ["dbt", "--no-version-check", command, "--vars", json.dumps(variables)]
    done = subprocess.run(arguments, cwd=project, capture_output=True, text=True)
    if done.returncode != exit_code:
        sys.exit(f"{' '.join(arguments)} ended with {done.returncode}, not {exit_code}:\n{done.stdout}{done.stderr}")
    results: dict[str, Any] = json.loads((project / "target" / "run_results.json").read_text(encoding="utf-8"))
    return results


def record(name: str, results: dict[str, Any]) -> None:
    for place in PLACES:
        if place in results["args"]:
            results["args"][place] = "."
    path = ARTIFACTS / f"run_results.{name}.json"
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path.name, sorted({result["status"] for result in results["results"]}))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "sf_user")
        lay_out(project, "success")
        record("run-success", run_dbt(project, "run", 0))
        record("test-success", run_dbt(project, "test", 0))
        record("test-warn-and-error", run_dbt(project, "test", 1, strict=True))
        record("run-failure", run_dbt(project, "run", 1, broken_model=True))
        lay_out(project, "missing-ids")
        run_dbt(project, "run", 0)
        record("test-failure", run_dbt(project, "test", 1))


if __name__ == "__main__":
    main()
