"""What is built and deployed: binaries that Amazon Linux 2023 can run, and the parameters of a deployment."""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import ROOT  # isort: skip (it makes the scripts importable)

sys.path.insert(0, str(ROOT / "scripts"))
import build_check
import deployment

X86_64 = build_check.MACHINES["x86_64"]


def elf(versions: list[str], machine: int = X86_64, padding: int = 0) -> bytes:
    """A binary that needs these versions of one library: header, strings, needs, and two section headers."""
    strings = b"\0libc.so.6\0" + b"".join(name.encode() + b"\0" for name in versions)
    need = build_check.VERNEED.pack(1, len(versions), 1, build_check.VERNEED.size, 0)
    name_at = 11
    for index, name in enumerate(versions):
        following = 0 if index == len(versions) - 1 else build_check.VERNAUX.size
        need += build_check.VERNAUX.pack(0, 0, index + 2, name_at, following)
        name_at += len(name) + 1
    strings_at = build_check.HEADER.size
    needs_at = strings_at + len(strings)
    sections_at = needs_at + len(need)
    header = build_check.HEADER.pack(
        b"\x7fELF\x02\x01\x01", 3, machine, 1, 0, 0, sections_at, 0, 64, 0, 0, build_check.SECTION.size, 2, 0
    )
    string_table = build_check.SECTION.pack(0, 3, 0, 0, strings_at, len(strings), 0, 0, 1, 0)
    needs = build_check.SECTION.pack(0, build_check.SHT_GNU_VERNEED, 0, 0, needs_at, len(need), 0, 1, 8, 0)
    noise = bytes(index * 7919 % 251 ^ (index >> 8) & 0xFF for index in range(padding))
    return header + strings + need + string_table + needs + noise


class Binaries(unittest.TestCase):
    def test_a_binary_that_amazon_linux_can_run_has_no_problem(self) -> None:
        data = elf(["GLIBC_2.2.5", "GLIBC_2.34", "GCC_3.0"])
        self.assertEqual([], build_check.problems(data, "x86_64"))
        self.assertEqual((2, 34), build_check.newest_glibc(build_check.read_elf(data)))

    def test_a_newer_glibc_is_refused(self) -> None:
        for version in ("GLIBC_2.35", "GLIBC_2.100", "GLIBC_3.0", "GLIBC_PRIVATE"):
            with self.subTest(version):
                found = build_check.problems(elf(["GLIBC_2.17", version]), "x86_64")
                self.assertEqual(1, len(found))
                self.assertIn("of glibc; Amazon Linux 2023 has 2.34", found[0])

    def test_another_processor_is_refused(self) -> None:
        found = build_check.problems(elf(["GLIBC_2.17"]), "arm64")
        self.assertEqual(["it is not built for arm64 (ELF machine 62)"], found)

    def test_what_is_no_elf_or_is_cut_off_is_refused(self) -> None:
        whole = elf(["GLIBC_2.17"])
        for data in (b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01", whole[:70], whole[:-80]):
            with self.subTest(length=len(data)):
                self.assertEqual(1, len(build_check.problems(data, "x86_64")))

    def test_a_zip_that_is_too_large_is_refused(self) -> None:
        limit = build_check.LARGEST_ZIP_BYTES
        try:
            build_check.LARGEST_ZIP_BYTES = 300
            self.assertEqual([], build_check.problems(elf(["GLIBC_2.17"]), "x86_64"))
            found = build_check.problems(elf(["GLIBC_2.17"], padding=4000), "x86_64")
        finally:
            build_check.LARGEST_ZIP_BYTES = limit
        self.assertEqual(1, len(found))
        self.assertIn("300 are the limit", found[0])

    @unittest.skipUnless(sys.platform == "linux" and struct.calcsize("P") == 8, "this machine has no such ELF")
    def test_a_real_binary_is_read(self) -> None:
        versions = build_check.read_elf(Path(sys.executable).resolve().read_bytes()).versions
        self.assertTrue(any(version.startswith("GLIBC_2.") for version in versions), versions)


class Deployments(unittest.TestCase):
    KNOWN = {"Environment", "AlertEmail", "RunSchedule"}

    def test_what_is_given_comes_before_the_file(self) -> None:
        merged = deployment.parameters(["Environment=dev", "AlertEmail=a@b.c"], ["AlertEmail=d@e.f"], self.KNOWN)
        self.assertEqual(["Environment=dev", "AlertEmail=d@e.f"], merged)

    def test_a_value_with_spaces_is_quoted_for_sam(self) -> None:
        merged = deployment.parameters([], ["RunSchedule=rate(24 hours)"], self.KNOWN)
        self.assertEqual(['RunSchedule="rate(24 hours)"'], merged)

    def test_mistakes_are_named(self) -> None:
        for given, reason in (
            ("AlertMail=a", "the template has no parameter AlertMail"),
            ("AlertEmail", "is not Name=value"),
            ('AlertEmail=a"b', "holds a quote"),
        ):
            with self.subTest(given), self.assertRaisesRegex(deployment.Mistake, reason):
                deployment.parameters([], [given], self.KNOWN)

    def test_every_environment_of_the_project_fits_its_template(self) -> None:
        known = deployment.template_parameters(ROOT / "template.yaml")
        self.assertIn("AlertEmail", known)
        self.assertNotIn("MetricsPublisherFunction", known)
        for environment in ("dev", "staging", "prod"):
            settings = deployment.settings(ROOT / "samconfig.toml", environment)
            self.assertIn(f"Environment={environment}", deployment.parameters(settings["parameter_overrides"], [], known))
            self.assertEqual(environment == "prod", settings["confirm_changeset"])

    def test_an_unknown_environment_is_told(self) -> None:
        script = ROOT / "scripts" / "deployment.py"
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "samconfig.toml"
            config.write_text("version = 0.1\n[qa.deploy.parameters]\nstack_name = 'pipewarden-qa'\n")
            run = [sys.executable, str(script), "stack", "--config", str(config), "--env"]
            asked = subprocess.run([*run, "qa"], capture_output=True, text=True)
            self.assertEqual(("pipewarden-qa\n", 0), (asked.stdout, asked.returncode))
            asked = subprocess.run([*run, "prod"], capture_output=True, text=True)
            self.assertIn("ENV=prod is none of qa", asked.stderr)
            self.assertNotEqual(0, asked.returncode)


if __name__ == "__main__":
    unittest.main()
