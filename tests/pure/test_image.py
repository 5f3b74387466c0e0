"""The image: its packages are those of a service, as they are tested; and what it is run with."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def test_the_image_has_what_a_service_needs_in_the_versions_that_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {
        re.split("[^a-z0-9-]", each)[0]
        for each in project["dependencies"] + project["optional-dependencies"]["recordings"]
    }
    tested = set(PINNED.findall((ROOT / "requirements.lock").read_text()))

    image = set(PINNED.findall((ROOT / "requirements-image.lock").read_text()))

    assert (set(), set()) == (image - tested, needed - {name for name, _ in image})
    assert not {"pytest", "mypy", "setuptools"} & {name for name, _ in image}


def test_settings_for_a_service_without_a_container_leave_alone_what_the_container_relies_on() -> None:
    compose = (ROOT / "compose.yaml").read_text()

    fixed = dict(re.findall(r'^      (TAPEWRIGHT_\w+): "?([^"$\n]+)"?$', compose, re.MULTILINE))

    everywhere = "0.0.0.0"  # noqa: S104 - of the container
    assert {"TAPEWRIGHT_DATA_DIR": "/data", "TAPEWRIGHT_HOST": everywhere, "TAPEWRIGHT_PORT": "8000"} == fixed
