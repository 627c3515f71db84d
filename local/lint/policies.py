"""Checks every policy of the template with parliament: actions that are none, resources that do not fit, wildcards.

A finding is let through only by name, with a reason.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "local" / "cloud"))

with warnings.catch_warnings():
    # parliament still uses pkg_resources; its own pins say until when that is there.
    warnings.simplefilter("ignore")
    from parliament import analyze_policy_string, enhance_finding

from artifacts import Template, read_template  # noqa: E402
from intrinsics import Resolver  # noqa: E402

# Every choice of the template once without and once with what is optional.
EXAMPLES: list[dict[str, str]] = [
    {"GlueJobName": "load", "LakeBucketName": "lake"},
    {
        "SampleLake": "true",
        "AthenaWorkGroup": "theirs",
        "ResultsBucketName": "theirs",
        "SubnetIds": "subnet-1,subnet-2",
        "SecurityGroupIds": "sg-1",
        "RunSchedule": "cron(0 4 * * ? *)",
        "SlackSecretArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:slack-abcdef",
        "MoreAlertSecretArns": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:more-abcdef,"
        "arn:aws:ssm:eu-central-1:111122223333:parameter/more",
        "ChatTopicArn": "arn:aws:sns:eu-central-1:111122223333:chat",
    },
]

# Statements that may name every resource, by resource and Sid.
WILDCARDS = {
    ("FunctionBasics", "SendTraces"): "X-Ray has no resource-level permissions for writing",
    ("FunctionBasics", "BeInVpc"): "Lambda checks its rights on network interfaces on every resource",
    ("MetricsPublisherRole", "PublishOwnMetrics"): "PutMetricData has none; held to one namespace",
    ("ErrorHandlerRole", "PublishOwnMetrics"): "PutMetricData has none; held to one namespace",
    ("PipelineStateMachine", "DeliverLogs"): "log delivery has no resource-level permissions",
    ("AlertKey", "AdministerByIam"): "in a key policy * is the key",
    ("AlertKey", "PublishToTopics"): "in a key policy * is the key",
    ("AlertKey", "EncryptLogs"): "in a key policy * is the key",
}

# What parliament says of a policy that is right, by resource, Sid and issue.
LET_THROUGH = {
    ("AlertKey", "AdministerByIam", "RESOURCE_STAR"): "in a key policy * is the key",
    ("AlertKey", "PublishToTopics", "RESOURCE_STAR"): "in a key policy * is the key",
    ("AlertKey", "EncryptLogs", "RESOURCE_STAR"): "in a key policy * is the key",
    ("AlertKey", "EncryptLogs", "MISMATCHED_TYPE"): "as CloudWatch Logs documents it; the context holds an ARN",
    # parliament knows it for express workflows only; the service authorization reference has both kinds.
    ("ErrorHandlerRole", "ReadAndRedriveRuns", "RESOURCE_MISMATCH"): "executions of standard workflows fit as well",
    # parliament asks for a map run as well; the service authorization reference asks for either.
    ("ErrorHandlerRole", "ReadUsualRuns", "RESOURCE_MISMATCH"): "the executions of a state machine are listed",
    ("FunctionBasics", "BeInVpc", "RESOURCE_STAR"): "Lambda checks these rights on every resource",
}


def policies(template: Template, resolver: Resolver) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each policy with the resource it belongs to: of identities, and of queues, topics, buckets and keys."""
    for name, resource in template["Resources"].items():
        if not resolver.exists(name):
            continue
        properties = resolver.value(resource.get("Properties", {}))
        for policy in properties.get("Policies", []):
            yield name, policy.get("PolicyDocument", policy)
        for key in ("PolicyDocument", "KeyPolicy"):
            if key in properties:
                yield name, properties[key]


def findings(name: str, policy: dict[str, Any], used: set[tuple[str, ...]]) -> Iterator[str]:
    """What is wrong with a policy; what is let through is marked as used."""
    for statement in policy["Statement"]:
        sid = statement.get("Sid", "")
        resources = statement.get("Resource", [])
        if "*" in (resources if isinstance(resources, list) else [resources]):
            if (name, sid) in WILDCARDS:
                used.add((name, sid))
            else:
                yield f"{name}: statement {sid!r} names every resource"
        if not sid:
            yield f"{name}: a statement has no Sid"
        analyzed = {"Version": policy.get("Version", "2012-10-17"), "Statement": [statement]}
        for finding in map(enhance_finding, analyze_policy_string(json.dumps(analyzed)).findings):
            if (name, sid, finding.issue) in LET_THROUGH:
                used.add((name, sid, finding.issue))
            else:
                yield f"{name}: statement {sid!r}: {finding.issue}: {finding.title}: {finding.detail}"


def main() -> None:
    template = read_template(ROOT / "template.yaml")
    looked_at = 0
    found: set[str] = set()
    used: set[tuple[str, ...]] = set()
    for example in EXAMPLES:
        for name, policy in policies(template, Resolver(template, example)):
            looked_at += 1
            found.update(findings(name, policy, used))
    found.update(f"{' '.join(key)} is let through and not needed" for key in {*WILDCARDS, *LET_THROUGH} - used)
    for finding in sorted(found):
        print(finding, file=sys.stderr)
    if found:
        sys.exit(1)
    print(f"{looked_at} policies: no finding")


if __name__ == "__main__":
    main()
