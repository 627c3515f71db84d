"""What this project needs and the emulator lacks, put into the emulator's own modules before it starts.

Step Functions:
- `glue:startJobRun` and `glue:startJobRun.sync`.
Athena:
- Trino's SQL, through athena_sql.py, and values printed as Athena prints them;
- `ExecutionParameters`;
- `DataScannedInBytes` is the size of the files a query read (the emulator counts its result). Athena reads only the
  columns it needs, so this is an upper bound.
Glue:
- a script gets the account and the region of the caller, and its `Timeout` in minutes (the emulator takes seconds);
- a job whose script is not there fails (the emulator lets it succeed).
SNS:
- a Lambda subscription is an asynchronous invocation: tried again, then in the dead-letter queue (the emulator tries once).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import duckdb
from ministack.core.responses import get_account_id, get_region
from ministack.services import athena, glue, lambda_svc, sns, stepfunctions

from athena_sql import PRELUDE, QueryError, athena_text, to_duckdb

Request = dict[str, Any]

GLUE_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED")
GLUE_DATES = ("StartedOn", "CompletedOn", "LastModifiedOn")

_parameters: ContextVar[tuple[str, ...]] = ContextVar("_parameters", default=())
_bytes_read: ContextVar[list[int]] = ContextVar("_bytes_read")


def install() -> None:
    """Put every addition in its place."""
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = start_glue_job
    _install_athena()
    _install_glue()
    sns._deliver_to_lambda = deliver_to_lambda


def deliver_to_lambda(function_arn: str, envelope: str, _topic: str, subscription: str, *_: Any) -> None:
    """What SNS does with a Lambda subscription: it hands the record over, and Lambda sees to it."""
    function, config, _name = lambda_svc._get_func_record_for_ref(function_arn)
    if function and config:
        record = {
            "EventVersion": "1.0",
            "EventSource": "aws:sns",
            "EventSubscriptionArn": subscription,
            "Sns": json.loads(envelope),
        }
        invoked = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(invoked, {"Records": [record]})


def start_glue_job(resource: str, arguments: Request) -> Request:
    """The Glue integration of Step Functions; `.sync` waits for the end of the run."""
    run_id = _call_glue(glue._start_job_run, arguments)["JobRunId"]
    if not resource.endswith(".sync"):
        return {"JobRunId": run_id}
    pause = 0.05
    while True:
        run = _call_glue(glue._get_job_run, {"JobName": arguments["JobName"], "RunId": run_id})["JobRun"]
        # The emulator sets the state before the times: only a run with an end is over.
        if run["JobRunState"] in GLUE_ENDED and run["CompletedOn"] is not None:
            break
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
    output = job_run_output(run)
    if run["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(output))
    return output


def _call_glue(action: Callable[[Request], tuple[int, Any, Any]], request: Request) -> Request:
    status, _, body = action(request)
    answer: Request = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError(f"Glue.{answer['__type']}", answer["message"])
    return answer


def job_run_output(run: Request) -> Request:
    """A JobRun as Step Functions gives it: dates in epoch milliseconds, and nothing that is not set."""
    dates = {name: int(run[name] * 1000) for name in GLUE_DATES if run.get(name) is not None}
    return {name: value for name, value in {**run, **dates}.items() if value not in (None, "")}


def _install_athena() -> None:
    connect, start, execute = duckdb.connect, athena._start_query_execution, athena._execute_query
    rewrite, read_files, run = athena._rewrite_data_paths, athena._materialize_table_files, athena._run_duckdb

    def connect_like_trino(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*args, **options)
        for statement in PRELUDE:
            connection.execute(statement)
        return connection

    def start_with_parameters(request: Request) -> Any:
        # The query runs in a task of its own, which gets a copy of this context.
        _parameters.set(tuple(request.get("ExecutionParameters") or ()))
        return start(request)

    async def execute_and_measure(query_id: str, *args: Any) -> None:
        _bytes_read.set([])
        await execute(query_id, *args)
        if query_id in athena._executions:
            athena._executions[query_id]["Statistics"]["DataScannedInBytes"] = sum(_bytes_read.get())

    async def rewrite_translated(query: str, database: str, catalog: str | None = None) -> Any:
        return await rewrite(to_duckdb(query, _parameters.get()), database, catalog)

    def read_and_count(location: str, workdirs: list[str]) -> list[str]:
        files: list[str] = read_files(location, workdirs)
        _bytes_read.get().extend(Path(name).stat().st_size for name in files)
        return files

    async def run_and_print(query: str, database: str, catalog: str | None = None) -> Request:
        try:
            results: Request = await run(query, database, catalog)
        except duckdb.Error as error:
            # What follows quotes the translated query, with the paths of temporary files.
            raise QueryError(str(error).split("\n\nLINE ")[0]) from None
        results["rows"] = [[athena_text(value) for value in row] for row in results["rows"]]
        return results

    duckdb.connect = connect_like_trino
    athena._start_query_execution = start_with_parameters
    athena._execute_query = execute_and_measure
    athena._rewrite_data_paths = rewrite_translated
    athena._materialize_table_files = read_and_count
    athena._run_duckdb = run_and_print


def _install_glue() -> None:
    execute, resolve = glue._execute_subprocess, glue._resolve_script

    def execute_as_caller(run: Request, job: Request, args: dict[str, str], script: str) -> None:
        # Each argument becomes an environment variable of the script.
        caller = {"AWS_ACCESS_KEY_ID": get_account_id(), "AWS_REGION": get_region(), "AWS_DEFAULT_REGION": get_region()}
        execute(run, {**job, "Timeout": int(job.get("Timeout", 5)) * 60}, {**args, **caller}, script)

    glue._execute_subprocess = execute_as_caller
    # Python then says that it cannot open the file, and the run fails.
    glue._resolve_script = lambda location: resolve(location) or location
