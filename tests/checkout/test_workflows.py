"""The workflows (.github) use only pinned actions, with minimal permissions."""

from __future__ import annotations

import re

import pytest

from support.checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request):
    return request.param.read_text("utf-8")


def test_there_are_workflows():
    assert {path.name for path in WORKFLOWS} >= {"ci.yml", "release.yml", "wheels.yml"}


def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(workflow):
    for action in re.findall(r"uses:\s*(.+)", workflow):
        assert action.startswith("./.github/") or re.fullmatch(
            r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action
        ), action


def test_an_action_has_the_same_pin_everywhere():
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses:\s*([\w.-]+/[\w./-]+)@(\S+)", text))
    assert pins and len(pins) == len({action for action, _ in pins})


def test_packages_that_pip_installs_for_a_release_are_pinned():
    text = next(path for path in WORKFLOWS if path.name == "wheels.yml").read_text("utf-8")
    installed = re.findall(r'pip install "(.+?)"', text)
    assert installed
    assert [one for one in installed if not re.fullmatch(r"\w+==[\d.]+", one)] == []


def test_rights_are_given_job_by_job(workflow):
    assert re.search(r"^permissions: \{\}$", workflow, re.M)
    rights = set(re.findall(r"^      ([\w-]+: (?:write|read))", workflow, re.M))
    assert rights <= {"contents: read", "id-token: write"}


def test_only_the_job_that_publishes_can_prove_who_it_is():
    holders = {path.name: path.read_text("utf-8").count("id-token: write") for path in WORKFLOWS}
    assert {name: count for name, count in holders.items() if count} == {"release.yml": 1}
    release = next(path for path in WORKFLOWS if path.name == "release.yml").read_text("utf-8")
    assert release.index("\n  publish:") < release.index("id-token: write")
    assert "secrets." not in release


def test_workflows_are_yaml(workflow):
    yaml = pytest.importorskip("yaml", reason="NOT TESTED: the workflows' syntax, which needs YAML")
    jobs = yaml.safe_load(workflow)["jobs"]
    assert all("permissions" in job for job in jobs.values())
