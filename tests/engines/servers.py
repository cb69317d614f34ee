"""The engines themselves: a PostgreSQL and a Spark cluster of this test run's own, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

__all__ = ["missing", "postgres", "spark"]

HOST = "127.0.0.1"
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"


def missing(what: str) -> None:
    """Fail where everything must be there, skip with the reason where it need not."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def _free_port() -> int:
    with socket.socket() as held:
        held.bind((HOST, 0))
        return int(held.getsockname()[1])


def _postgres_bin() -> Path | None:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True
    )
    if found:
        return found[0]
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def postgres() -> Iterator[str]:
    """A cluster in a folder that is gone afterwards; yields its URL, with a password in it."""
    tools = _postgres_bin()
    if tools is None:
        missing("there is no PostgreSQL; `sh tools/engines.sh` installs Debian's")
        return
    # The server refuses to run as root, and pytest's own folders are closed to others.
    other = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="octad-pg-"))
    data, port = folder / "data", _free_port()
    password = folder / "password"
    password.write_text("s3cret-of-the-test\n")
    if other:
        for path in (folder, password):
            shutil.chown(path, **other)

    def run(*words: str) -> None:
        subprocess.run(  # type: ignore[call-overload]
            words,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            timeout=120,
            **other,
        )

    try:
        # An odd collation on purpose: no number may lean on how an engine sorts text.
        run(
            str(tools / "initdb"),
            "-D",
            str(data),
            "-U",
            "owner",
            "-A",
            "scram-sha-256",
            f"--pwfile={password}",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        options = (
            f"-p {port} -c listen_addresses={HOST} -c unix_socket_directories={folder} "
            "-c fsync=off -c shared_buffers=64MB -c work_mem=32MB -c jit=off"
        )
        run(
            str(tools / "pg_ctl"),
            "-D",
            str(data),
            "-o",
            options,
            "-w",
            "-l",
            str(folder / "log"),
            "start",
        )
        yield f"postgres://owner:s3cret-of-the-test@{HOST}:{port}/postgres"
    finally:
        with suppress(subprocess.SubprocessError):
            run(str(tools / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return True
        time.sleep(0.1)
    return False


@contextmanager
def spark(folder: Path) -> Iterator[str]:
    """A standalone master and two workers of one core each; yields the connection's URL."""
    import pyspark  # noqa: PLC0415

    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        missing("there is no Java; `sh tools/engines.sh` installs Debian's")
        return
    launcher = Path(pyspark.__file__).parent / "bin" / "spark-class"
    port = _free_port()
    master = f"spark://{HOST}:{port}"
    home = {
        **os.environ,
        "SPARK_HOME": str(launcher.parents[1]),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": QUICK,
        "SPARK_WORKER_DIR": str(folder / "work"),
        "PYSPARK_PYTHON": sys.executable,
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(kind: str, *words: str) -> None:
        log = (folder / f"{kind}{len(started)}.log").open("wb")
        with log:
            started.append(
                subprocess.Popen(
                    [str(launcher), f"org.apache.spark.deploy.{kind}", "--host", HOST, *words],
                    stdout=log,
                    stderr=log,
                    env=home,
                    start_new_session=True,
                )
            )

    try:
        start("master.Master", "--port", str(port), "--webui-port", "0")
        if not _answers(port, 60):
            pytest.fail("Spark's master did not start")
        for place in (1, 2):
            start(
                "worker.Worker",
                master,
                "--cores",
                "1",
                "--memory",
                "640m",
                "--webui-port",
                "0",
                "--work-dir",
                str(folder / f"worker{place}"),
            )
        settings = {
            "spark.executor.memory": "512m",
            # Small data: what costs is starting and compiling, not running.
            "spark.driver.extraJavaOptions": QUICK,
            "spark.executor.extraJavaOptions": QUICK,
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.adaptive.enabled": "false",
            "spark.driver.host": HOST,
            "spark.driver.bindAddress": HOST,
            "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.local.dir": str(folder / "local"),
            # Both workers must have come before a query starts, or one of them runs it alone.
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",
            "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
            "spark.cores.max": "2",
        }
        yield f"{master}/shop?{urlencode(settings)}"
    finally:
        for process in reversed(started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
