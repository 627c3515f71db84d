"""Draws the dashboard of the template with made-up data, so that its layout is seen before it is deployed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "local" / "cloud"))

import draw  # noqa: E402
from artifacts import read_template  # noqa: E402
from emulator import LocalCloudError  # noqa: E402
from intrinsics import Resolver  # noqa: E402

# A stack that watches a pipeline of somebody's own.
PARAMETERS = {"Environment": "prod", "GlueJobName": "load-sf-user", "LakeBucketName": "lake"}
COLUMNS = 24
BROWSER_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


def dashboard(template_path: Path) -> tuple[str, list[dict[str, Any]]]:
    """The name and the widgets of the template's dashboard, with every function worked out."""
    template = read_template(template_path)
    resolver = Resolver(template, PARAMETERS)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            properties = resolver.value(resource["Properties"])
            try:
                body = json.loads(properties["DashboardBody"])
            except json.JSONDecodeError as error:
                raise LocalCloudError(f"the dashboard's body is no JSON: {error}") from error
            return properties["DashboardName"], body["widgets"]
    raise LocalCloudError(f"{template_path} has no dashboard")


def misplaced(widgets: list[dict[str, Any]]) -> list[str]:
    """Widgets that leave the grid or lie on others."""
    taken: dict[tuple[int, int], str] = {}
    wrong = []
    for number, widget in enumerate(widgets):
        name = widget["properties"].get("title", f"widget {number}")
        if widget["x"] + widget["width"] > COLUMNS:
            wrong.append(f"{name} leaves the grid")
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                other = taken.setdefault((x, y), name)
                if other != name and f"{name} lies on {other}" not in wrong:
                    wrong.append(f"{name} lies on {other}")
    return wrong


def take_picture(browser: str, page: Path, height: int, picture: Path) -> None:
    """A picture of the whole page, taken in a browser that reaches nothing."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *BROWSER_FLAGS, f"--user-data-dir={profile}", f"--window-size={draw.WIDTH},{height}"]
        command += [f"--screenshot={picture.resolve()}", page.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode or not picture.is_file():
        raise LocalCloudError(f"{browser} took no picture: {done.stderr.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml", help="the SAM template")
    parser.add_argument("--output", type=Path, required=True, help="where the page is written")
    parser.add_argument("--browser", help="a Chromium that takes a picture of the page")
    parser.add_argument("--picture", type=Path, help="where the picture is written")
    arguments = parser.parse_args()
    try:
        name, widgets = dashboard(arguments.template)
        if wrong := misplaced(widgets):
            raise LocalCloudError("; ".join(wrong))
        page = draw.page(name, widgets)
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(page, encoding="utf-8")
        if arguments.browser and arguments.picture:
            take_picture(arguments.browser, arguments.output, draw.height(widgets), arguments.picture)
    except LocalCloudError as error:
        sys.exit(str(error))
    print(f"{len(widgets)} widgets of {name}: {arguments.output}")


if __name__ == "__main__":
    main()
