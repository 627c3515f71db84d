"""Deletes a deployed stack, after its buckets are emptied: CloudFormation deletes no bucket that holds something.

What the template retains is left alone, its content too.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError


def retained(cloudformation: Any, stack: str) -> set[str]:
    """The logical names of what outlives the stack."""
    body = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    # A processed template is JSON; boto3 parses it where it can.
    template = json.loads(body) if isinstance(body, str) else body
    keep = {"Retain", "RetainExceptOnCreate"}
    return {name for name, resource in template["Resources"].items() if resource.get("DeletionPolicy") in keep}


def buckets(cloudformation: Any, stack: str) -> dict[str, str]:
    """The stack's buckets, by their logical names."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = (resource for page in pages for resource in page["StackResourceSummaries"])
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in found
        if resource["ResourceType"] == "AWS::S3::Bucket" and resource.get("PhysicalResourceId")
    }


def empty(s3: Any, bucket: str) -> int:
    """Delete every version of every object; how many there were."""
    deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        if not objects:
            continue
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for error in answer.get("Errors", []):
            raise SystemExit(f"s3://{bucket}/{error['Key']} cannot be deleted: {error['Message']}")
        deleted += len(objects)
    return deleted


def confirmed(stack: str, given: str | None) -> bool:
    """Whether somebody named the stack a second time."""
    if given is None and sys.stdin.isatty():
        given = input(f"This deletes {stack} and what its buckets hold. Type the stack's name to go on: ")
    return given == stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="the deployed stack")
    parser.add_argument("--confirm", help="the stack's name once more, where nobody can be asked")
    parser.add_argument("--endpoint", help="another endpoint of AWS, such as the local cloud's")
    arguments = parser.parse_args()
    if not confirmed(arguments.stack, arguments.confirm or None):
        sys.exit(f"nothing was deleted; confirm with CONFIRM={arguments.stack}")
    cloudformation = boto3.client("cloudformation", endpoint_url=arguments.endpoint)
    s3 = boto3.client("s3", endpoint_url=arguments.endpoint)
    keep = retained(cloudformation, arguments.stack)
    for name, bucket in buckets(cloudformation, arguments.stack).items():
        if name in keep:
            print(f"  {name}: s3://{bucket} is retained")
        else:
            print(f"  {name}: {empty(s3, bucket)} objects deleted from s3://{bucket}")
    cloudformation.delete_stack(StackName=arguments.stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=arguments.stack, WaiterConfig={"Delay": 5})
    print(f"{arguments.stack} is deleted")


if __name__ == "__main__":
    try:
        main()
    except WaiterError as error:
        sys.exit(f"the stack is not deleted: {error}; see its events in the CloudFormation console")
    except (BotoCoreError, ClientError) as refused:
        sys.exit(f"AWS refused: {refused}")
