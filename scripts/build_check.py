"""Checks that what was built runs on Amazon Linux 2023: the machine, the C library's version, and the size of each zip."""

from __future__ import annotations

import argparse
import hashlib
import io
import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The glibc of Amazon Linux 2023 (its release notes, "glibc-2.34").
NEWEST_GLIBC = (2, 34)

# What a function may weigh, zipped: Lambda reads it at each cold start.
LARGEST_ZIP_BYTES = 4_000_000

# ELF header, e_machine (System V ABI).
MACHINES = {"x86_64": 62, "arm64": 183}

# Section types that name versions: SHT_GNU_verneed, and its string table by sh_link (LSB, "Symbol Versioning").
SHT_GNU_VERNEED = 0x6FFFFFFE
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
VERNEED = struct.Struct("<HHIII")
VERNAUX = struct.Struct("<IHHII")


class NotElf(Exception):
    """A file that is no 64-bit little-endian ELF, or one that ends too early."""


@dataclass(frozen=True)
class Elf:
    """What is asked of a binary."""

    machine: int
    versions: frozenset[str]


def read_elf(data: bytes) -> Elf:
    """The machine and the versions of symbols that a binary needs, such as `GLIBC_2.28`."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise NotElf("it is no 64-bit little-endian ELF")
    try:
        header = HEADER.unpack_from(data)
        machine, sections_at, section_size, count = header[2], header[6], header[11], header[12]
        sections = [SECTION.unpack_from(data, sections_at + index * section_size) for index in range(count)]
        versions = {
            name
            for section in sections
            if section[1] == SHT_GNU_VERNEED
            for name in needed_versions(data, section[4], section[7], sections[section[6]][4])
        }
    except (struct.error, IndexError, ValueError) as error:
        raise NotElf(f"its ELF cannot be read: {error}") from error
    return Elf(machine, frozenset(versions))


def needed_versions(data: bytes, at: int, libraries: int, strings: int) -> Iterator[str]:
    """The names in a SHT_GNU_verneed section: a chain of libraries, each with a chain of versions."""
    for _ in range(libraries):
        _, versions, _, first, following = VERNEED.unpack_from(data, at)
        version_at = at + first
        for _ in range(versions):
            _, _, _, name, next_version = VERNAUX.unpack_from(data, version_at)
            start = strings + name
            yield data[start : data.index(b"\0", start)].decode("ascii", errors="replace")
            version_at += next_version
        at += following


def glibc(version: str) -> tuple[int, ...] | None:
    """`GLIBC_2.28` as (2, 28); None for a version of something else."""
    prefix, _, number = version.partition("_")
    if prefix != "GLIBC":
        return None
    parts = number.split(".")
    # GLIBC_PRIVATE is nobody's to need.
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (sys.maxsize,)


def newest_glibc(elf: Elf) -> tuple[int, ...]:
    """The newest glibc that the binary needs; (0,) where it needs none."""
    return max((found for version in elf.versions if (found := glibc(version))), default=(0,))


def zipped_bytes(data: bytes) -> int:
    """The size of the zip that holds it, as `sam deploy` packs it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("bootstrap"), data, zipfile.ZIP_DEFLATED)
    return packed.tell()


def problems(data: bytes, arch: str) -> list[str]:
    """What keeps a binary from running on Amazon Linux 2023, or makes it slow to start."""
    try:
        elf = read_elf(data)
    except NotElf as error:
        return [str(error)]
    found = []
    if elf.machine != MACHINES[arch]:
        found.append(f"it is not built for {arch} (ELF machine {elf.machine})")
    if (newest := newest_glibc(elf)) > NEWEST_GLIBC:
        found.append(f"it needs {dotted(newest)} of glibc; Amazon Linux 2023 has {dotted(NEWEST_GLIBC)}")
    if (size := zipped_bytes(data)) >= LARGEST_ZIP_BYTES:
        found.append(f"its zip has {size:,} bytes; {LARGEST_ZIP_BYTES:,} are the limit")
    return found


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def report(folder: str, data: bytes) -> str:
    newest = dotted(newest_glibc(read_elf(data)))
    digest = hashlib.sha256(data).hexdigest()[:16]
    return f"  {folder:28} glibc {newest:5} {len(data) / 1e6:5.2f} MB, zip {zipped_bytes(data) / 1e6:4.2f} MB, sha256 {digest}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path(".aws-sam/build"), help="what `sam build` made")
    parser.add_argument("--arch", choices=MACHINES, required=True)
    arguments = parser.parse_args()
    binaries = sorted(arguments.build.glob("*/bootstrap"))
    if not binaries:
        sys.exit(f"there is no function in {arguments.build}")
    wrong = 0
    for binary in binaries:
        data = binary.read_bytes()
        found = problems(data, arguments.arch)
        wrong += bool(found)
        for problem in found:
            print(f"{binary}: {problem}", file=sys.stderr)
        if not found:
            print(report(binary.parent.name, data))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
