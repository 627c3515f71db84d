"""Deploying a SAM template: what is packaged, what is left out, and what is reported."""

from __future__ import annotations

import io
import json
import re
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any

from support import CLOUD, ROOT, EmulatorTest  # isort: skip (it makes the scripts importable)
from artifacts import leave_out, read_template, use_local_certificates
from emulator import LocalCloudError

TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Environment: {Type: String, Default: dev}
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Layers: [!Ref Profiles]
    Environment:
      Variables: {STAGE: !Ref Environment}
Resources:
  Profiles:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: profiles}
  Named:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: the-binary}}
    Properties: {CodeUri: functions/anything}
  ByFolder:
    Type: AWS::Serverless::Function
    DependsOn: Everything
    Properties: {CodeUri: functions/by-folder/}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: !Sub "machine-${Environment}-${AWS::StackName}"
      DefinitionUri: machine.asl.json
      DefinitionSubstitutions: {Function: !GetAtt Named.Arn}
      Policies: [{Statement: [{Effect: Allow, Action: "lambda:InvokeFunction", Resource: !GetAtt Named.Arn}]}]
  Job:
    Type: AWS::Glue::Job
    Properties:
      Name: !Sub "job-${AWS::StackName}"
      Role: role
      Command: {Name: pythonshell, ScriptLocation: job.py}
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Metrics: [{Id: e1, Expression: 1 + 1}]}
  Everything:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmRule: !Sub "ALARM(${Errors})"}
Outputs:
  MachineArn: {Value: !Ref Machine}
  ErrorsAlarm: {Value: !GetAtt Errors.Arn}
"""

DEFINITION = {
    "QueryLanguage": "JSONata",
    "StartAt": "Call",
    "States": {
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "${Function}"},
            "End": True,
        }
    },
}


class Folder:
    """A small project in a temporary folder."""

    def __init__(self, test: unittest.TestCase, template: str = TEMPLATE) -> None:
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("template.yaml", template)
        self.write("profiles/users.yaml", "pipeline: users")
        self.write("binaries/the-binary", "#!/bin/sh\nexit 1")
        self.write("binaries/by-folder", "#!/bin/sh\nexit 1")
        self.write("machine.asl.json", json.dumps(DEFINITION))
        self.write("job.py", "print('loaded')")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def arguments(self, stack: str, *more: str) -> list[str]:
        paths = {"--template": "template.yaml", "--binaries": "binaries", "--profiles": "profiles"}
        return [
            "--stack",
            stack,
            *(text for name, path in paths.items() for text in (name, str(self.root / path))),
            *more,
        ]


class Templates(unittest.TestCase):
    def test_tags_are_kept_in_their_long_form(self) -> None:
        template = read_template(Folder(self).root / "template.yaml")
        self.assertEqual("2010-09-09", template["AWSTemplateFormatVersion"])
        self.assertEqual([{"Ref": "Profiles"}], template["Globals"]["Function"]["Layers"])
        machine = template["Resources"]["Machine"]["Properties"]
        self.assertEqual({"Fn::Sub": "machine-${Environment}-${AWS::StackName}"}, machine["Name"])
        self.assertEqual({"Fn::GetAtt": ["Named", "Arn"]}, machine["DefinitionSubstitutions"]["Function"])

    def test_what_the_emulator_lacks_is_left_out_by_name(self) -> None:
        kept, left_out = leave_out(read_template(Folder(self).root / "template.yaml"))
        self.assertEqual({"Errors", "Everything"}, {item.resource for item in left_out})
        self.assertNotIn("Errors", kept["Resources"])
        self.assertEqual([], kept["Resources"]["ByFolder"]["DependsOn"])
        self.assertEqual({"MachineArn"}, set(kept["Outputs"]))

    def test_a_resource_that_needs_one_left_out_is_an_error(self) -> None:
        template = TEMPLATE.replace("Environment: {Type: String, Default: dev}", "Environment: {Type: String}").replace(
            "ScriptLocation: job.py", 'ScriptLocation: !Sub "s3://${Errors.Arn}"'
        )
        with self.assertRaisesRegex(LocalCloudError, "Job refers to Errors"):
            leave_out(read_template(Folder(self, template).root / "template.yaml"))

    def test_a_certificate_bundle_that_is_not_there_is_replaced_by_one_that_is(self) -> None:
        template = read_template(Folder(self).root / "template.yaml")
        self.assertEqual((template, 0), use_local_certificates(template))
        variables = template["Globals"]["Function"]["Environment"]["Variables"]
        variables["SSL_CERT_FILE"] = "/nowhere/bundle.crt"
        adapted, changed = use_local_certificates(template)
        self.assertEqual(1, changed)
        self.assertTrue(Path(adapted["Globals"]["Function"]["Environment"]["Variables"]["SSL_CERT_FILE"]).is_file())
        self.assertEqual("/nowhere/bundle.crt", variables["SSL_CERT_FILE"])

    def test_what_is_no_template_is_an_error(self) -> None:
        folder = Folder(self)
        for text in ("[]", "Resources: [", "Parameters: {}"):
            with self.assertRaises(LocalCloudError):
                read_template(folder.write("template.yaml", text))
        with self.assertRaises(LocalCloudError):
            read_template(folder.root / "nowhere.yaml")

    def test_the_documentation_names_what_of_the_project_is_left_out(self) -> None:
        kept, left_out = leave_out(read_template(ROOT / "template.yaml"))
        self.assertGreater(len(kept["Resources"]), len(left_out))
        rows = [row for row in (ROOT / "docs/local-cloud.md").read_text().splitlines() if row.startswith("| `")]
        told = {name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
        self.assertEqual({item.resource for item in left_out}, told)


class Deployment(EmulatorTest):
    def deploy(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        return self.run_script(CLOUD / "deploy.py", *arguments)

    def archives(self, bucket: str) -> dict[str, zipfile.ZipFile]:
        """The archives of an artifacts bucket by the name of their resource."""
        s3 = self.emulator.client("s3")
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"] if item["Key"].endswith(".zip")]
        return {
            key.rsplit("-", 1)[0]: zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
            for key in keys
        }

    def test_a_template_is_deployed_and_brought_up_to_date(self) -> None:
        folder = Folder(self)
        code, events = self.deploy(*folder.arguments("first", "--param", "Environment=test"))
        self.assertEqual(0, code, events)
        self.assertEqual(
            {"Errors", "Everything"}, {event["resource"] for event in events if event["event"] == "left_out"}
        )
        self.assertEqual("deployed", events[-1]["event"])
        machine_arn = events[-1]["outputs"]["MachineArn"]
        self.assertTrue(machine_arn.endswith(":stateMachine:machine-test-first"))

        archives = self.archives("first-artifacts-000000000000")
        self.assertEqual(["bootstrap", "users.yaml"], archives["Named"].namelist())
        self.assertEqual(0o755, archives["Named"].getinfo("bootstrap").external_attr >> 16 & 0o777)
        self.assertEqual(["users.yaml"], archives["Profiles"].namelist())
        machine = self.emulator.client("stepfunctions").describe_state_machine(stateMachineArn=machine_arn)
        self.assertIn("arn:aws:lambda:", machine["definition"])
        self.assertTrue(
            self.emulator.client("glue")
            .get_job(JobName="job-first")["Job"]["Command"]["ScriptLocation"]
            .startswith("s3://first-artifacts-000000000000/job-")
        )

        # The same again: nothing is uploaded. A changed binary: only that one is.
        self.assertIn(
            "artifacts: 0 uploaded, 5 already there",
            [event.get("text") for event in self.deploy(*folder.arguments("first"))[1]],
        )
        folder.write("binaries/the-binary", "#!/bin/sh\nexit 2")
        code, events = self.deploy(*folder.arguments("first"))
        self.assertEqual(0, code, events)
        self.assertIn("artifacts: 1 uploaded, 4 already there", [event.get("text") for event in events])

    def test_a_failure_names_the_resource_and_the_reason(self) -> None:
        glue = self.emulator.client("glue")
        glue.create_job(Name="job-failing", Role="test", Command={"Name": "pythonshell"})
        code, events = self.deploy(*Folder(self).arguments("failing"))
        self.assertEqual((1, "error"), (code, events[-1]["event"]))
        self.assertIn("Job (AWS::Glue::Job)", events[-1]["text"])
        self.assertIn("Job job-failing already exists", events[-1]["text"])
        # A stack that could not be created does not stand in the way of the next one.
        glue.delete_job(JobName="job-failing")
        code, events = self.deploy(*Folder(self).arguments("failing"))
        self.assertEqual(0, code, events)

    def test_a_type_that_the_emulator_does_not_know_is_not_left_out(self) -> None:
        code, events = self.deploy(
            *Folder(self, TEMPLATE.replace("AWS::Glue::Job", "AWS::Nope::Thing")).arguments("unknown")
        )
        self.assertEqual((1, "error"), (code, events[-1]["event"]))
        self.assertIn("AWS::Nope::Thing", events[-1]["text"])

    def test_mistakes_are_told(self) -> None:
        folder = Folder(self)
        for arguments, text in [
            (folder.arguments("m", "--param", "Nobody=1"), "no such parameter"),
            (folder.arguments("m", "--param", "Environment"), "not K=V"),
            (folder.arguments("m", "--dbt-runner", "runner"), "--lake-bucket"),
            ([*folder.arguments("m"), "--binaries", str(folder.root / "nowhere")], "build it first"),
            ([*folder.arguments("m"), "--profiles", str(folder.root / "nowhere")], "not a folder"),
        ]:
            code, events = self.deploy(*arguments)
            self.assertEqual((1, "error"), (code, events[-1]["event"]), events)
            self.assertIn(text, events[-1]["text"])


if __name__ == "__main__":
    unittest.main()
