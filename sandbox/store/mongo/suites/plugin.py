"""A pytest plugin that run.py loads into pymongo's suite: it writes what became of every
test, and for a skipped one why, in words that don't depend on the machine.

A skip is only believed when its reason is another kind of server, another driver, or
another Python. What remains may hide something that our server lacks.
"""

import json
import os
import re

import pytest

VERSION = (8, 0)  # the server that the engine stands for

# The parameters that tests ask for, as such a server has them.
DEFAULTS = {"enableTestCommands": True, "requireApiVersion": False, "acceptApiVersion2": False}

# A skip's message, and what the test is for. The first that fits counts.
SKIPS = [
    (r"secondar|mongos|standalone|[Ll]oad ?balanc|sharded|Server wire version|supports retryable writes", "other topologies"),
    (r"Server version must be", "other versions"),
    (r"Authentication is not enabled", "a server with authentication"),
    (r"TLS|SSL|csfle|pymongocrypt|Kerberos|SASL_HOST|X509|OIDC|AWS", "encryption and other logins"),
    (r"IPv6|Socket file|DISABLE_TEST_COMMANDS|PYMONGO_MUST_CONNECT|FIPS", "another machine"),
    (r"does not support|not implemented|does not cap|PYTHON|DRIVERS-|C extension|asynchronous|gevent|eventlet|free-threading|requires Python|Python 3\.14|"
     r"not installed|not available|needs the snappy|cannot be invalidated|mod_wsgi", "other drivers or builds of Python"),
]


def unfit(requirement):
    """What a requirement of a specification's test asks for that an 8.0 replica set
    isn't, empty when it fits."""
    low = [int(n) for n in requirement.get("minServerVersion", "0").split(".")]
    high = [int(n) for n in requirement.get("maxServerVersion", "99").split(".")]
    if "replicaset" not in requirement.get("topologies", ["replicaset"]):
        return "other topologies"
    if tuple(low[:2]) > VERSION or tuple(high[:2]) < VERSION:
        return "other versions"
    if requirement.get("csfle") or "authMechanism" in requirement:
        return "encryption and other logins"
    if requirement.get("auth"):
        return "a server with authentication"
    if requirement.get("serverless") == "require":
        return "other topologies"
    if any(DEFAULTS.get(name) != value for name, value in requirement.get("serverParameters", {}).items()):
        return "servers with other parameters"
    return ""


def requirements(item):
    """The lists of requirements that a specification's test stands under."""
    spec = getattr(item.cls, "TEST_SPEC", None) or {}
    lists = [spec.get("runOnRequirements")]
    for test in spec.get("tests", []):
        if letters(item.name).endswith(letters(test["description"])):
            lists.append(test.get("runOnRequirements"))
    return [found for found in lists if found]


def letters(name):
    return re.sub(r"[\W_]", "", name)


def meant_for(item, message):
    """What a skipped test is for, empty when it is for a server like ours."""
    if "runOnRequirements" in message:
        for alternatives in requirements(item):
            reasons = [unfit(r) for r in alternatives]
            if all(reasons):
                return reasons[0]
        return ""
    return next((label for pattern, label in SKIPS if re.search(pattern, message)), "")


class Record:
    """Collects outcomes and writes them at the end."""

    def __init__(self, path):
        self.path = path
        self.tests = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        entry = self.tests.setdefault(name_of(item), {"id": f"{os.path.relpath(item.path)}::{function_of(item)}", "outcome": "passed", "text": "", "for": ""})
        if report.failed:
            entry.update(outcome="failed", text=problem(call))
        elif hasattr(report, "wasxfail"):
            entry.update(outcome="skipped", text=report.wasxfail, **{"for": "failing, says the suite"})
        elif report.skipped and entry["outcome"] == "passed":
            message = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            entry.update(outcome="skipped", text=message, **{"for": meant_for(item, message)})
        return report

    def pytest_sessionfinish(self):
        with open(self.path, "w") as f:
            json.dump(self.tests, f, indent=1)


def name_of(item):
    """A test's name in known.txt: its file, class and function, without spaces."""
    return f"{item.path.stem}.{function_of(item).replace('::', '.').replace(' ', '_')}"


def function_of(item):
    return item.nodeid.split("::", 1)[1]


def problem(call):
    lines = str(call.excinfo.value).splitlines() if call.excinfo else []
    return f"{call.excinfo.typename if call.excinfo else ''}: {lines[0] if lines else ''}"[:200]


def pytest_configure(config):
    if "SUITES_REPORT" not in os.environ:
        return
    import pymongo
    from pymongo import pool_options

    # Some tests make a client without an address, which is the suite's server too.
    for client in (pymongo.MongoClient, pymongo.AsyncMongoClient):
        client.PORT = int(os.environ["DB_PORT"])
    # The metadata that tests expect has no word of a container around them.
    pool_options.DOCKER_ENV_PATH = "/nonexistent"
    config.pluginmanager.register(Record(os.environ["SUITES_REPORT"]), "record")


@pytest.fixture(scope="session", autouse=True)
def the_server_stands_for_what_is_counted():
    """Requirements are judged against an 8.0 replica set with test commands: so is the server."""
    from test import client_context

    yield
    if client_context.connected:
        assert tuple(client_context.version[:2]) == VERSION, client_context.version
        assert client_context.is_rs and client_context.test_commands_enabled
