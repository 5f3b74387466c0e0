"""The description: all that is served, nothing else, and every reference leads somewhere. And its page."""

import re
from collections.abc import Iterator

import pytest

from api.app import ROUTES
from tests.web.conftest import Client

Json = dict[str, object]
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture
async def document(anonymous: Client) -> Json:
    """The description as a client without a key gets it."""
    found = await (await anonymous.get("/openapi.json")).json()
    assert isinstance(found, dict)
    return found


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation with its method and path."""
    paths = document["paths"]
    assert isinstance(paths, dict)
    for path, item in paths.items():
        for method, operation in item.items():
            assert method in METHODS
            yield method, path, operation


def every(value: object, name: str) -> Iterator[object]:
    """What stands under a name, anywhere."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from every(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, name)


async def test_every_route_that_is_served_is_described_and_the_reverse(anonymous: Client, document: Json) -> None:
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in anonymous.app.router.routes()
        if route.resource is not None and route.method not in {"HEAD", "*"}
    }
    hidden = {(route.method.lower(), route.path) for route in ROUTES if not route.documented}

    assert served - hidden == {(method, path) for method, path, _ in operations(document)}


async def test_each_family_is_a_group_of_its_own_and_clients_find_theirs_first(document: Json) -> None:
    groups = [operation["tags"] for _, path, operation in operations(document) if path.startswith("/api/")]

    names = ("v1", "v2", "tape", "files", "cdp", "health", "docs")
    assert [{"name": name} for name in names] == document["tags"]
    families = [[path.split("/")[2]] for _, path, _ in operations(document) if path.startswith("/api/")]
    assert families == groups


async def test_every_reference_leads_somewhere(document: Json) -> None:
    components = document["components"]
    assert isinstance(components, dict)

    dangling = {
        reference
        for reference in every(document, "$ref")
        if isinstance(reference, str) and reference.removeprefix("#/components/schemas/") not in components["schemas"]
    }

    assert set() == dangling


async def test_no_schema_is_there_for_nothing(document: Json) -> None:
    components = document["components"]
    assert isinstance(components, dict)

    used = {str(reference).rpartition("/")[2] for reference in every(document, "$ref")}

    assert set(components["schemas"]) == used


async def test_every_operation_has_a_name_of_its_own(document: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(set(names)) == len(names)


async def test_the_parameters_of_a_path_are_those_in_its_braces(document: Json) -> None:
    for _, path, operation in operations(document):
        parameters = operation["parameters"]
        assert isinstance(parameters, list)
        described = [each["name"] for each in parameters if each["in"] == "path"]
        assert re.findall(r"\{(\w+)\}", path) == described, path


async def test_every_operation_says_what_it_refuses(document: Json) -> None:
    for _, path, operation in operations(document):
        responses = operation["responses"]
        assert isinstance(responses, dict)
        assert {"401", "422", "429", "503"} <= set(responses), path


async def test_the_page_loads_nothing_from_elsewhere(anonymous: Client) -> None:
    page = await anonymous.get("/docs")
    text = await page.text()

    links = re.findall(r'(?:src|href)="([^"]*)"', text)
    found = [(await anonymous.get(link)).status for link in links]

    assert "text/html" == page.content_type
    assert [200] * 4 == found
    assert all(link.startswith("/docs/") for link in links)
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


async def test_only_the_files_of_the_page_are_served(anonymous: Client) -> None:
    answers = [
        (await anonymous.get(path)).status for path in ("/docs/index.html", "/docs/..%2fdocs.html", "/docs/", "/static")
    ]

    assert [404] * 4 == answers


async def test_the_address_that_the_service_prints_leads_to_the_documentation(anonymous: Client) -> None:
    response = await anonymous.get("/", allow_redirects=False)

    assert (302, "/docs") == (response.status, response.headers["Location"])
