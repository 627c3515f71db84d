"""Works out the functions of a template as CloudFormation would, without deploying it.

What only a deployment can tell (the ARN of a role, the name of a queue) gets an example in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from artifacts import Template
from emulator import LocalCloudError

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}

# The service and the kind of resource in an ARN, by type (service authorization reference).
ARNS = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::CloudWatch::CompositeAlarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::Serverless::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Serverless::StateMachine": "states:{region}:{account}:stateMachine:{name}",
}

# Types whose Ref is the ARN (CloudFormation template reference, return values).
REF_IS_ARN = ("AWS::IAM::ManagedPolicy", "AWS::SNS::Topic", "AWS::Serverless::StateMachine")

# The property in which a type is given its name.
NAMES = (
    "AlarmName",
    "BucketName",
    "DashboardName",
    "FunctionName",
    "LogGroupName",
    "Name",
    "QueueName",
    "RoleName",
    "TableName",
    "TopicName",
)

_ABSENT = object()


class Resolver:
    """The functions of one template under one set of parameters."""

    def __init__(self, template: Template, parameters: Mapping[str, Any] | None = None) -> None:
        self._resources = template["Resources"]
        self._conditions = template.get("Conditions", {})
        self._values = dict(PSEUDO)
        for name, parameter in template.get("Parameters", {}).items():
            value = (parameters or {}).get(name, parameter.get("Default", ""))
            listed = parameter["Type"] in ("CommaDelimitedList", "List<String>")
            self._values[name] = str(value).split(",") if listed else str(value)

    def exists(self, name: str) -> bool:
        """Whether the resource is made: it has no condition, or one that holds."""
        condition = self._resources[name].get("Condition")
        return condition is None or self._holds(condition)

    def value(self, value: Any) -> Any:
        """The value with every function worked out; what AWS::NoValue stands for is gone."""
        found = self._value(value)
        return None if found is _ABSENT else found

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            items = (self._value(item) for item in value)
            return [item for item in items if item is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if function := self._functions().get(name):
                return function(argument)
        members = {name: self._value(item) for name, item in value.items()}
        return {name: item for name, item in members.items() if item is not _ABSENT}

    def _functions(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "Ref": self._ref,
            "Fn::GetAtt": lambda argument: self._attribute(*argument),
            "Fn::If": lambda argument: self._value(argument[1 if self._holds(argument[0]) else 2]),
            "Fn::Join": lambda argument: argument[0].join(map(_text, self._value(argument[1]))),
            "Fn::Split": lambda argument: self._value(argument[1]).split(argument[0]),
            "Fn::Sub": self._sub,
        }

    def _holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return self._holds(self._conditions[condition])
        name, argument = next(iter(condition.items()))
        match name:
            case "Condition":
                return self._holds(argument)
            case "Fn::Equals":
                left, right = (_text(self._value(side)) for side in argument)
                return left == right
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::Or":
                return any(self._holds(item) for item in argument)
            case "Fn::And":
                return all(self._holds(item) for item in argument)
        raise LocalCloudError(f"{name} is no condition")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name in self._values:
            return self._values[name]
        kind = self._resource(name)["Type"]
        return self._attribute(name, "Arn") if kind in REF_IS_ARN else self._name(name)

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self._resource(name)["Type"]
        if attribute != "Arn":
            return self._name(name)
        if kind not in ARNS:
            raise LocalCloudError(f"{name}: the ARN of {kind} is not known")
        arn = ARNS[kind].format(
            region=PSEUDO["AWS::Region"], account=PSEUDO["AWS::AccountId"], name=self._name(name)
        )
        return f"arn:{PSEUDO['AWS::Partition']}:{arn}"

    def _resource(self, name: str) -> dict[str, Any]:
        if name not in self._resources:
            raise LocalCloudError(f"{name} is neither a parameter nor a resource")
        return dict(self._resources[name])

    def _name(self, name: str) -> str:
        """The name that the template gives, else one like those that CloudFormation makes."""
        properties = self._resource(name).get("Properties", {})
        given = next((properties[key] for key in NAMES if key in properties), None)
        if given is not None:
            return str(self._value(given))
        made = f"{PSEUDO['AWS::StackName']}-{name}"
        return made.lower() if self._resource(name)["Type"] == "AWS::S3::Bucket" else made

    def _sub(self, argument: Any) -> str:
        text, values = argument if isinstance(argument, list) else (argument, {})

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            if name in values:
                return _text(self._value(values[name]))
            if "." in name:
                return self._attribute(*name.split(".", 1))
            return _text(self._ref(name))

        return re.sub(r"\$\{([\w.:]+)\}", replaced, text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)
