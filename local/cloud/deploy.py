"""Deploys the project's SAM template, as it is, into the local cloud, and the stand-in dbt runner beside it."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from artifacts import ArtifactStore, Member, Packager, Template, leave_out, read_template, use_local_certificates
from emulator import ACCOUNT, LocalCloudError, client, fail, say

ANSWERS = Path(__file__).parent / "answers.py"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# The emulator's alarms look at no dimension, period or count: what they would tell is not what AWS would.
LOCAL_PARAMETERS = {"AlarmActions": "false"}
DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
UNUSABLE = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="the emulator's address")
    parser.add_argument("--template", required=True, type=Path, help="the SAM template")
    parser.add_argument("--binaries", required=True, type=Path, help="the folder of the built binaries")
    parser.add_argument("--profiles", required=True, type=Path, help="the folder of pipeline profiles")
    parser.add_argument("--stack", required=True, help="the name of the stack")
    parser.add_argument("--param", nargs="+", action="extend", default=[], metavar="K=V", help="template parameters")
    parser.add_argument("--dbt-runner", metavar="NAME", help="also deploy the stand-in dbt runner under this name")
    parser.add_argument(
        "--lake-bucket", metavar="NAME", help="the runner's lake; else the stack's output LakeBucketName"
    )
    parser.add_argument("--account", default=ACCOUNT, help="the emulator's account to deploy into")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds to wait for the stack")
    return parser.parse_args()


def parse_parameters(pairs: list[str], template: Template) -> list[dict[str, str]]:
    """`K=V` pairs as CloudFormation takes them, and what the local cloud adds where the template has such a parameter.

    A name the template does not have is a mistake.
    """
    known = template.get("Parameters", {})
    values = {name: value for name, value in LOCAL_PARAMETERS.items() if name in known}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise LocalCloudError(f"--param {pair} is not K=V")
        if name not in known:
            raise LocalCloudError(f"--param {name}: the template has no such parameter")
        values[name] = value
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


class Stack:
    """One CloudFormation stack of the emulator."""

    def __init__(self, cloudformation: Any, name: str, timeout: float) -> None:
        self._cloudformation = cloudformation
        self._name = name
        self._timeout = timeout

    def deploy(self, template_url: str, parameters: list[dict[str, str]]) -> dict[str, str]:
        """Create the stack or bring it up to date; its outputs."""
        request = {
            "StackName": self._name,
            "TemplateURL": template_url,
            "Parameters": parameters,
            "Capabilities": CAPABILITIES,
        }
        if self._status() in UNUSABLE:
            self._delete()
        if self._status() is None:
            self._cloudformation.create_stack(**request)
        else:
            self._update(request)
        status = self._settle()
        if status not in DONE:
            raise LocalCloudError(f"stack {self._name}: {status}: {self._first_failure()}")
        return self._outputs()

    def _update(self, request: dict[str, Any]) -> None:
        try:
            self._cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise

    def _delete(self) -> None:
        self._cloudformation.delete_stack(StackName=self._name)
        self._settle()

    def _describe(self) -> dict[str, Any] | None:
        try:
            stacks = self._cloudformation.describe_stacks(StackName=self._name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return stacks[0] if stacks else None

    def _status(self) -> str | None:
        """The stack's status; None when there is no such stack."""
        stack = self._describe()
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return None
        return str(stack["StackStatus"])

    def _settle(self) -> str | None:
        """Wait until nothing is in progress, and not for ever."""
        deadline = time.monotonic() + self._timeout
        while (status := self._status()) is not None and status.endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise LocalCloudError(f"stack {self._name} is still {status} after {self._timeout:g} s")
            time.sleep(0.2)
        return status

    def _first_failure(self) -> str:
        """The resource that failed before any other, with the emulator's reason."""
        events = self._cloudformation.describe_stack_events(StackName=self._name)["StackEvents"]
        for event in reversed(events):
            if event["ResourceStatus"].endswith("_FAILED") and event["LogicalResourceId"] != self._name:
                reason = event.get("ResourceStatusReason", "no reason given")
                return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
        stack = self._describe() or {}
        return str(stack.get("StackStatusReason", "no reason given"))

    def _outputs(self) -> dict[str, str]:
        stack = self._describe() or {}
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def upload_template(s3: Any, store: ArtifactStore, endpoint: str, stack: str, template: Template) -> str:
    """The template's address in S3: as a request body it could not exceed 51,200 bytes."""
    key = f"{stack}.template.json"
    s3.put_object(Bucket=store.bucket, Key=key, Body=json.dumps(template).encode())
    return f"{endpoint.rstrip('/')}/{store.bucket}/{key}"


def deploy_dbt_runner(functions: Any, store: ArtifactStore, name: str, lake_bucket: str, account: str) -> None:
    """Create or replace the Lambda that answers for dbt."""
    code = {"S3Bucket": store.bucket, "S3Key": store.put_zip(name, [Member(ANSWERS.name, ANSWERS)])}
    settings = {
        "FunctionName": name,
        "Runtime": "python3.12",
        "Role": f"arn:aws:iam::{account}:role/{name}",
        "Handler": f"{ANSWERS.stem}.handler",
        "Timeout": 60,
        "MemorySize": 1024,
        "Environment": {"Variables": {"LAKE_BUCKET": lake_bucket}},
    }
    try:
        functions.create_function(**settings, Code=code)
    except functions.exceptions.ResourceConflictException:
        functions.update_function_code(FunctionName=name, **code)
        functions.update_function_configuration(**settings)


def deploy(arguments: argparse.Namespace) -> None:
    def connect(service: str) -> Any:
        return client(service, arguments.endpoint, arguments.account)

    template, left_out = leave_out(read_template(arguments.template))
    for item in left_out:
        say("left_out", resource=item.resource, type=item.type, why=item.why)
    parameters = parse_parameters(arguments.param, template)
    template, adapted = use_local_certificates(template)
    if adapted:
        say("step", text="SSL_CERT_FILE names a bundle that only Lambda has: a bundle of this machine takes its place")

    s3 = connect("s3")
    # A bucket name is taken for every account, and has no capitals.
    store = ArtifactStore(s3, f"{arguments.stack}-artifacts-{arguments.account}".lower())
    packager = Packager(store, arguments.template.resolve().parent, arguments.binaries, arguments.profiles)
    packaged = packager.package(template)
    say("step", text=f"artifacts: {store.uploaded} uploaded, {store.reused} already there")

    url = upload_template(s3, store, arguments.endpoint, arguments.stack, packaged)
    outputs = Stack(connect("cloudformation"), arguments.stack, arguments.timeout).deploy(url, parameters)
    say("step", text=f"stack {arguments.stack}: {len(packaged['Resources'])} resources declared")

    if arguments.dbt_runner:
        lake_bucket = arguments.lake_bucket or outputs.get("LakeBucketName")
        if not lake_bucket:
            raise LocalCloudError("--dbt-runner needs --lake-bucket: the stack has no output LakeBucketName")
        deploy_dbt_runner(connect("lambda"), store, arguments.dbt_runner, lake_bucket, arguments.account)
        say("step", text=f"dbt runner {arguments.dbt_runner} on s3://{lake_bucket}")
    say("deployed", outputs=outputs)


def main() -> None:
    try:
        deploy(parse_arguments())
    except LocalCloudError as error:
        fail(str(error))
    except (BotoCoreError, ClientError) as error:
        fail(f"the emulator refused: {error}")


if __name__ == "__main__":
    main()
