"""Turns the local paths of a SAM template into artifacts in the emulator's S3, as `sam package` does for AWS."""

from __future__ import annotations

import copy
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError
from botocore.httpsession import where

from emulator import LocalCloudError

Template = dict[str, Any]

LACKING_TYPES = {
    "AWS::CloudWatch::CompositeAlarm": "the emulator's CloudFormation has no composite alarms",
    "AWS::CloudWatch::Dashboard": "it shows alarms that the emulator lacks; `make dashboard` draws it",
    "AWS::Athena::NamedQuery": "the emulator's CloudFormation has no named queries",
}


@dataclass(frozen=True)
class Member:
    """One file of an archive: its name inside, the file it comes from, and whether it can be run."""

    name: str
    source: Path
    executable: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A resource the emulator cannot make, and why."""

    resource: str
    type: str
    why: str


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's tags; dates stay text, as CloudFormation reads them."""


_TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """`!Sub x` as `{"Fn::Sub": x}`: the same function, in the form JSON can hold."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_TemplateLoader.add_multi_constructor("!", _long_form)


def read_template(path: Path) -> Template:
    """The template as plain data, its CloudFormation tags in their long form."""
    try:
        template = yaml.load(path.read_text(encoding="utf-8"), Loader=_TemplateLoader)
    except (OSError, yaml.YAMLError) as error:
        raise LocalCloudError(f"cannot read the template {path}: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise LocalCloudError(f"the template {path} has no Resources")
    return template


class ArtifactStore:
    """A bucket of archives named by what is in them, so that the same content is uploaded once."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket
        self.uploaded = 0
        self.reused = 0
        s3.create_bucket(Bucket=bucket)

    def put_zip(self, name: str, members: list[Member]) -> str:
        """Store the members as a zip unless it is there already; its key."""
        key = f"{name}-{_digest(members)}.zip"
        return self._put(key, lambda: _zip(members))

    def put_file(self, path: Path) -> str:
        """Store one file as it is unless it is there already; its key."""
        content = _read(path)
        key = f"{path.stem}-{hashlib.sha256(content).hexdigest()[:32]}{path.suffix}"
        return self._put(key, lambda: content)

    def _put(self, key: str, content: Callable[[], bytes]) -> str:
        if self._has(key):
            self.reused += 1
        else:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=content())
            self.uploaded += 1
        return key

    def _has(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LocalCloudError(f"cannot read {path}: {error.strerror}") from error


def _digest(members: list[Member]) -> str:
    """A name for the archive's content which is known before the archive is made."""
    digest = hashlib.sha256()
    for member in members:
        content = _read(member.source)
        digest.update(f"{member.name}\0{member.executable}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def _zip(members: list[Member]) -> bytes:
    """The same bytes for the same members: fixed dates and modes. Stored: deflating costs seconds and saves nothing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = (0o100755 if member.executable else 0o100644) << 16
            archive.writestr(info, _read(member.source))
    return buffer.getvalue()


def folder_members(folder: Path) -> list[Member]:
    """Every file under a folder, in a fixed order."""
    if not folder.is_dir():
        raise LocalCloudError(f"{folder} is not a folder")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Member(path.relative_to(folder).as_posix(), path) for path in files]


class Packager:
    """Uploads what a template's resources refer to by local path, and points them at the uploads."""

    def __init__(self, store: ArtifactStore, root: Path, binaries: Path, profiles: Path) -> None:
        self._store = store
        self._root = root
        self._binaries = binaries
        self._profiles = folder_members(profiles)

    def package(self, template: Template) -> Template:
        """A copy of the template without local paths."""
        packaged = copy.deepcopy(template)
        for name, resource in packaged["Resources"].items():
            properties = resource.get("Properties", {})
            match resource.get("Type"):
                case "AWS::Serverless::Function":
                    properties["CodeUri"] = self._object(self._function(name, resource))
                case "AWS::Serverless::LayerVersion" if _is_local(properties.get("ContentUri")):
                    members = folder_members(self._root / properties["ContentUri"])
                    properties["ContentUri"] = self._object(self._store.put_zip(name, members))
                case "AWS::Serverless::StateMachine" if _is_local(properties.get("DefinitionUri")):
                    key = self._store.put_file(self._root / properties["DefinitionUri"])
                    properties["DefinitionUri"] = self._object(key)
                case "AWS::Glue::Job" if _is_local(properties.get("Command", {}).get("ScriptLocation")):
                    key = self._store.put_file(self._root / properties["Command"]["ScriptLocation"])
                    properties["Command"]["ScriptLocation"] = f"s3://{self._store.bucket}/{key}"
        return packaged

    def _function(self, name: str, resource: dict[str, Any]) -> str:
        """The bootstrap, with the profiles where functions look first: the emulator mounts no layer at /opt."""
        binary = self._binaries / _binary_name(name, resource)
        if not binary.is_file():
            raise LocalCloudError(f"{name}: the binary {binary} is not there; build it first")
        return self._store.put_zip(name, [Member("bootstrap", binary, executable=True), *self._profiles])

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self._store.bucket, "Key": key}


def _is_local(uri: Any) -> bool:
    return isinstance(uri, str) and not uri.startswith("s3://")


def _binary_name(name: str, resource: dict[str, Any]) -> str:
    """The cargo binary of a function: what its build metadata says, else the last folder of its CodeUri."""
    declared = resource.get("Metadata", {}).get("BuildProperties", {}).get("Binary")
    if declared:
        return str(declared)
    code_uri = resource.get("Properties", {}).get("CodeUri")
    if _is_local(code_uri) and Path(code_uri).name:
        return Path(code_uri).name
    raise LocalCloudError(f"{name}: neither Metadata.BuildProperties.Binary nor CodeUri names its binary")


def use_local_certificates(template: Template) -> tuple[Template, int]:
    """A copy in which SSL_CERT_FILE names a bundle of this machine where it named one that only Lambda has; how often.

    Functions run as processes here, and one that was built for debugging stops where it finds no certificate at all.
    """
    adapted = copy.deepcopy(template)
    holders = [adapted.get("Globals", {}).get("Function", {})]
    holders += [resource.get("Properties", {}) for resource in adapted["Resources"].values()]
    changed = 0
    for holder in holders:
        variables = holder.get("Environment", {}).get("Variables", {}) if isinstance(holder, dict) else {}
        bundle = variables.get("SSL_CERT_FILE")
        if isinstance(bundle, str) and not Path(bundle).is_file():
            variables["SSL_CERT_FILE"] = where()
            changed += 1
    return adapted, changed


def leave_out(template: Template) -> tuple[Template, list[LeftOut]]:
    """A copy of the template without what the emulator lacks, and what that was."""
    kept = copy.deepcopy(template)
    left_out = [
        LeftOut(name, resource["Type"], why)
        for name, resource in kept["Resources"].items()
        if (why := _lacking(resource)) is not None
    ]
    names = {item.resource for item in left_out}
    for name in names:
        del kept["Resources"][name]
    for name, resource in kept["Resources"].items():
        _drop_dependencies(resource, names)
        if missing := names & set(_references(resource)):
            raise LocalCloudError(f"{name} refers to {', '.join(sorted(missing))}, which the emulator cannot make")
    kept["Outputs"] = {
        name: output for name, output in kept.get("Outputs", {}).items() if not names & set(_references(output))
    }
    return kept, left_out


def _lacking(resource: dict[str, Any]) -> str | None:
    """Why the emulator cannot make this resource, or None if it can."""
    if resource.get("Type") == "AWS::CloudWatch::Alarm" and "Metrics" in resource.get("Properties", {}):
        return "the emulator has no metric math"
    return LACKING_TYPES.get(resource.get("Type", ""))


def _drop_dependencies(resource: dict[str, Any], names: set[str]) -> None:
    depends_on = resource.get("DependsOn")
    if isinstance(depends_on, str):
        depends_on = [depends_on]
    if depends_on:
        resource["DependsOn"] = [name for name in depends_on if name not in names]


def _references(value: Any) -> Iterator[str]:
    """The logical names that a value refers to through Ref, Fn::GetAtt and Fn::Sub."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield item
            elif key == "Fn::GetAtt" and isinstance(item, list) and isinstance(item[0], str):
                yield item[0]
            elif key == "Fn::Sub":
                text = item[0] if isinstance(item, list) else item
                yield from re.findall(r"\$\{(\w+)(?:\.[\w.]+)?\}", text)
                yield from _references(item)
            else:
                yield from _references(item)
