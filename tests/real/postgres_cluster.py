"""A temporary PostgreSQL for the tests: initialized, started, queried and stopped here.

Owns its data directory, its port on loopback and its password. Stopping it ends its processes and
removes its files. It never touches a server that was there before.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

DEBIAN_BINARIES: Final = Path("/usr/lib/postgresql")
SERVICE_USER: Final = "postgres"  # initdb and postgres refuse to run as root
OPTIONS: Final = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=20",
    "timezone=UTC",
)
TIMEOUT_SECONDS: Final = 60


class PostgresUnavailableError(Exception):
    """No PostgreSQL can be started here; the text says what is missing."""


def find_binaries() -> Path:
    """Return the directory of the newest `initdb` that Debian installed, or of the one on PATH."""
    versions = [path for path in DEBIAN_BINARIES.glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    found = shutil.which("initdb")
    if found is None:
        raise PostgresUnavailableError(
            "PostgreSQL's initdb is not installed (Debian: apt-get install postgresql)"
        )
    return Path(found).resolve().parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostgresCluster:
    """One server on 127.0.0.1 with one database and its owner, while the `with` block lasts."""

    host: Final = "127.0.0.1"
    user: Final = "shop"
    database: Final = "shop"

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self.port = _free_port()
        self.password = secrets.token_hex(16)
        self._as_user = self._service_user()
        self._home = Path(tempfile.mkdtemp(prefix="target-pinterest-postgres-"))

    @staticmethod
    def _service_user() -> str | None:
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam(SERVICE_USER).pw_name
        except KeyError:
            raise PostgresUnavailableError(
                f"root cannot run PostgreSQL, and there is no user {SERVICE_USER}"
            ) from None

    def _run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        """Run one of PostgreSQL's programs as the server's user and return its output.

        Raises an error with the program's complaint if it fails.
        """
        log = self._home / "output"
        # A started server keeps its stdout open: with a pipe, reading would never end
        with log.open("w") as output:
            done = subprocess.run(
                [str(self._binaries / program), *arguments],
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd=self._home,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGPASSWORD": self.password},
                timeout=TIMEOUT_SECONDS,
                user=self._as_user,
                group=self._as_user,
                extra_groups=None if self._as_user is None else (),
            )
        text = log.read_text(encoding="utf-8")
        if done.returncode:
            raise RuntimeError(f"{program} exited {done.returncode}: {text.strip()}")
        return text

    def __enter__(self) -> Self:
        """Initialize and start the server; it answers when this returns."""
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self._home)
            raise
        return self

    def _start(self) -> None:
        password_file = self._home / "password"
        password_file.write_text(self.password, encoding="ascii")
        if self._as_user is not None:
            for path in (self._home, password_file):
                shutil.chown(path, self._as_user, self._as_user)
        data = str(self._home / "data")
        initdb = ("--auth=scram-sha-256", f"--username={self.user}", f"--pwfile={password_file}")
        self._run(
            "initdb",
            f"--pgdata={data}",
            *initdb,
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        settings = [
            f"port={self.port}",
            f"listen_addresses={self.host}",
            f"unix_socket_directories={self._home}",
            *OPTIONS,
        ]
        options = " ".join(f"-c {setting}" for setting in settings)
        log = f"--log={self._home / 'log'}"
        self._run(
            "pg_ctl",
            f"--pgdata={data}",
            "--wait",
            f"--timeout={TIMEOUT_SECONDS}",
            log,
            f"--options={options}",
            "start",
        )
        self._run("createdb", *self._connection(), self.database)

    def __exit__(self, *_error: object) -> None:
        """Stop the server by the pid in its data directory and remove its files."""
        try:
            self._run(
                "pg_ctl", f"--pgdata={self._home / 'data'}", "--wait", "--mode=immediate", "stop"
            )
        finally:
            shutil.rmtree(self._home)

    def _connection(self) -> Sequence[str]:
        return (f"--host={self.host}", f"--port={self.port}", f"--username={self.user}")

    def query(self, sql: str) -> str:
        """Run SQL, one or many statements, and return psql's rows, unaligned, without headings."""
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
        return self._run(
            "psql", *self._connection(), *options, f"--dbname={self.database}", stdin=sql
        ).strip()

    @property
    def url(self) -> str:
        """Return the database's URL for SQLAlchemy and libpq, including the password."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"
