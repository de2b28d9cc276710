"""Fixtures of the tests with real input: a PostgreSQL, a Meltano project and a sandbox.

If a service is missing, a test that needs it skips with the reason; with REQUIRE_SERVICES=1, as
CI sets it, it fails.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from meltano_project import InstallationError, MeltanoProject, locked_program
from plugin_project import GIVEN, PluginProject
from postgres_cluster import PostgresCluster, PostgresUnavailableError, find_binaries


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """Yield an empty PostgreSQL server for this session."""
    try:
        cluster = PostgresCluster(find_binaries())
    except PostgresUnavailableError as error:
        _unavailable(str(error))
    with cluster:
        yield cluster


@pytest.fixture(scope="session")
def dbt() -> Path:
    """Return the program `dbt`, with its adapter for PostgreSQL, in a separate environment."""
    try:
        return locked_program("dbt")
    except InstallationError as error:
        _unavailable(f"dbt could not be installed: {error}")


@pytest.fixture(scope="session")
def meltano(tmp_path_factory) -> Callable[[str | None], MeltanoProject]:
    """Return a function from a tap's name to a Meltano project in which that tap is installed.

    None stands for a tap that needs no installation.
    """
    project: MeltanoProject | None = None

    def project_with(extractor: str | None) -> MeltanoProject:
        nonlocal project
        try:
            project = project or MeltanoProject(
                locked_program("meltano"), tmp_path_factory.mktemp("meltano")
            )
            if extractor is not None:
                project.install(extractor)
        except InstallationError as error:
            _unavailable(f"Meltano and {extractor} could not be installed: {error}")
        return project

    return project_with


@pytest.fixture
def plugin_project(sandbox, tmp_path: Path) -> PluginProject:
    """Return a Meltano project with the plugin's own definition, set up for the sandbox."""
    try:
        meltano = locked_program("meltano")
    except InstallationError as error:
        _unavailable(f"Meltano could not be installed: {error}")
    return PluginProject(meltano, tmp_path, {**GIVEN, "api_url": sandbox.url})
