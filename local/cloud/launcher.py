"""Starts MiniStack, the emulator of the local cloud, on the loopback, with what this project adds to it (additions.py, history.py).

It ends, and what it started with it, on SIGTERM, on SIGINT, and when the program that started it dies.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

HOST = "127.0.0.1"
SCRATCH = "pipewarden-cloud"
# The user's own settings for AWS have no business in the local cloud.
UNWANTED = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def emulator_environment(port: int, scratch: str) -> dict[str, str]:
    """What the emulator reads, and what the Lambdas and the Glue jobs that it runs inherit."""
    return {
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TMPDIR": scratch,
        "S3_DATA_DIR": str(Path(scratch) / "s3"),
        # Glue scripts run as `python3`: it must be this one, which has duckdb and boto3.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


def set_environment(port: int, scratch: str) -> None:
    """To be called before the emulator is imported: its modules read the environment as they load."""
    for name in UNWANTED:
        os.environ.pop(name, None)
    os.environ.update(emulator_environment(port, scratch))
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    tempfile.tempdir = scratch


def remove_leftovers(folder: Path) -> None:
    """Remove the scratch folders of launchers that were killed; they hold copies of the functions."""
    for scratch in folder.glob(f"{SCRATCH}-*-*"):
        pid = scratch.name.removeprefix(f"{SCRATCH}-").split("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            shutil.rmtree(scratch, ignore_errors=True)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


async def parent_gone(parent: int) -> None:
    """Return once the program that started this one is gone: looked up rather than signalled, as every system can."""
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


def end_group() -> None:
    """Where this process leads a group of its own, end what else is in it, such as a Glue script."""
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)


async def serve(port: int, scratch: str, parent: int) -> None:
    from hypercorn.asyncio import serve as listen
    from hypercorn.config import Config
    from ministack import app

    import additions
    import calls
    import history

    additions.install()
    history.install()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    orphaned = asyncio.create_task(parent_gone(parent))
    orphaned.add_done_callback(lambda _: stop.set())
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.loglevel = os.environ["LOG_LEVEL"]
    await listen(calls.Calls(app.app), config, shutdown_trigger=stop.wait)
    app._reset_all_state()  # ends the processes of the Lambdas
    end_group()
    shutil.rmtree(scratch, ignore_errors=True)
    # Threads of executions that are still waiting would keep the interpreter alive.
    os._exit(0)


def main() -> None:
    parent = os.getppid()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", required=True, type=int, help="the port to listen on")
    port = parser.parse_args().port
    remove_leftovers(Path(tempfile.gettempdir()))
    scratch = tempfile.mkdtemp(prefix=f"{SCRATCH}-{os.getpid()}-")
    try:
        set_environment(port, scratch)
        asyncio.run(serve(port, scratch, parent))
    except OSError as error:
        sys.exit(f"launcher: cannot listen on {HOST}:{port}: {error}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
