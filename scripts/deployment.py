"""What samconfig.toml says of an environment: its stack, and the parameters that a deployment is given.

`sam deploy` lets parameters of the command line replace those of the file, and passes over a name that the template
does not have. Here they are added to those of the file, and such a name is a mistake.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class Mistake(Exception):
    """What is wrong, in words for the one who typed it."""


def settings(config: Path, environment: str) -> dict[str, Any]:
    """What the file says of an environment."""
    known = {name: value for name, value in tomllib.loads(config.read_text()).items() if isinstance(value, dict)}
    if environment not in known:
        raise Mistake(f"ENV={environment} is none of {', '.join(known)} (the environments of {config.name})")
    return dict(known[environment]["deploy"]["parameters"])


def template_parameters(template: Path) -> set[str]:
    """The names under `Parameters:`. A line is enough: the section's own keys are indented by two."""
    names: set[str] = set()
    within = False
    for line in template.read_text().splitlines():
        if re.match(r"\S", line):
            within = line.startswith("Parameters:")
        elif within and (name := re.match(r"  (\w+):", line)):
            names.add(name[1])
    return names


def parameters(in_file: Iterable[str], given: Iterable[str], known: set[str]) -> list[str]:
    """`Name=value` of the file, with those that are given in their place or added.

    Raises Mistake for what is no `Name=value`, for a name that the template does not have, and for a quote in a value.
    """
    merged: dict[str, str] = {}
    for pair in [*in_file, *given]:
        name, separator, value = pair.partition("=")
        if not separator:
            raise Mistake(f"{pair} is not Name=value")
        if name not in known:
            raise Mistake(f"the template has no parameter {name}; it has {', '.join(sorted(known))}")
        if re.search(r"""["'\\\n]""", value):
            raise Mistake(f"{name}: its value holds a quote, a backslash or a line break")
        merged[name] = value
    # The SAM CLI takes a value with spaces in quotes of its own.
    return [f'{name}="{value}"' if " " in value else f"{name}={value}" for name, value in merged.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["stack", "parameters"])
    parser.add_argument("--env", required=True, help="an environment of samconfig.toml")
    parser.add_argument("--arch", help="the architecture that was built")
    parser.add_argument("--given", default="", help="more parameters, as Name=value with spaces between them")
    parser.add_argument("--config", type=Path, default=ROOT / "samconfig.toml")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml")
    arguments = parser.parse_args()
    try:
        found = settings(arguments.config, arguments.env)
        if arguments.what == "stack":
            print(found["stack_name"])
            return
        architecture = [f"Architecture={arguments.arch}"] if arguments.arch else []
        given = [*shlex.split(arguments.given), *architecture]
        print("\n".join(parameters(found["parameter_overrides"], given, template_parameters(arguments.template))))
    except Mistake as mistake:
        sys.exit(f"error: {mistake}")


if __name__ == "__main__":
    main()
