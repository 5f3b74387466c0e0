"""Files of v2 as clients send and fetch them: forms for sessions, what they refuse, what their tasks have."""

from collections.abc import Iterable

import pytest
from aiohttp import ClientResponse, FormData, MultipartWriter

from api import control, uploads
from api.service import Service
from eventstore import events as e
from tests.web.conftest import Client, Drive
from tests.web.test_v1_files import left, local, produced

WISH = {"fileName": "cv.pdf", "contentType": "application/pdf", "sizeBytes": 10}
Form = tuple[str, dict[str, str]]


async def begun(client: Client) -> str:
    return str((await (await client.post("/api/v2/sessions")).json())["id"])


async def presigned(client: Client, session: str, **wish: object) -> Form:
    response = await client.post(f"/api/v2/files/sessions/{session}/presigned-url", json={**WISH, **wish})
    assert 200 == response.status, await response.text()
    answer = await response.json()
    assert ("POST", 120) == (answer["method"], answer["expiresIn"])
    return local(answer["url"]), answer["fields"]


async def sent(client: Client, form: Form, data: bytes = b"%PDF", *, last: Iterable[str] = ()) -> ClientResponse:
    """The form posted: all fields but the `last` ones before the file."""
    url, fields = form
    body = FormData(default_to_multipart=True)
    for name, value in fields.items():
        if name not in last:
            body.add_field(name, value)
    body.add_field("file", data, filename="whatever.bin", content_type="application/octet-stream")
    for name in last:
        body.add_field(name, fields[name])
    return await client.post(url, data=body)


async def files(service: Service, session: str) -> list[tuple[str, int, str]]:
    state = await service.sessions.fresh(f"session-{session}")
    return [(file.name, file.size, file.content_type) for file in state.uploads.values()]


async def test_a_form_brings_a_file_to_a_session_and_its_tasks_have_it(
    service: Service, client: Client, anonymous: Client
) -> None:
    session = await begun(client)

    response = await sent(anonymous, await presigned(client, session))

    body = {"task": "Open the shop.", "sessionId": session}
    task_id = (await (await client.post("/api/v2/tasks", json=body)).json())["id"]
    created = (await service.tasks.load(control.stream(task_id))).created
    assert created is not None
    assert (204, b"") == (response.status, await response.read())
    assert [("cv.pdf", 4, "application/pdf")] == await files(service, session)
    assert [b"%PDF"] == [await service.blobs.get(file.blob) for file in created.uploads]
    assert ["cv.pdf"] == (await (await client.get(f"/api/v1/task/{task_id}")).json())["user_uploaded_files"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"fileName": "../cv.pdf"}, "fileName"),
        ({"fileName": "a\u0000b"}, "fileName"),
        ({"fileName": ""}, "fileName"),
        ({"contentType": "text/html"}, "contentType"),
        ({"sizeBytes": 0}, "sizeBytes"),
        ({"sizeBytes": uploads.MAX_FILE + 1}, "sizeBytes"),
    ],
)
async def test_what_is_wrong_with_a_request_for_a_form_is_named(
    client: Client, wish: dict[str, object], field: str
) -> None:
    session = await begun(client)

    response = await client.post(f"/api/v2/files/sessions/{session}/presigned-url", json={**WISH, **wish})

    (flaw,) = (await response.json())["detail"]
    assert (422, ["body", field]) == (response.status, flaw["loc"])


async def test_a_form_that_is_not_as_it_was_given_out_is_refused(
    service: Service, client: Client, anonymous: Client
) -> None:
    url, fields = await presigned(client, await begun(client))
    stranger = await presigned(client, await begun(client))

    answers = {
        "larger than announced": await sent(anonymous, (url, fields), bytes(11)),
        "another name": await sent(anonymous, (url, {**fields, "key": "other.pdf"})),
        "another type": await sent(anonymous, (url, {**fields, "Content-Type": "text/html"})),
        "another policy": await sent(anonymous, (url, {**fields, "policy": stranger[1]["policy"]})),
        "another signature": await sent(anonymous, (url, {**fields, "x-signature": "0" * 64})),
        "expired": await sent(anonymous, (url, {**fields, "x-expires": "1"})),
        "no number": await sent(anonymous, (url, {**fields, "x-expires": "soon"})),
        "no signature": await sent(anonymous, (url, {k: v for k, v in fields.items() if k != "x-signature"})),
        "the file first": await sent(anonymous, (url, fields), last=fields),
        "too many fields": await sent(anonymous, (url, {**fields, **{f"f{n}": "" for n in range(20)}})),
        "too long a field": await sent(anonymous, (url, {**fields, "extra": "x" * 10_000})),
        "no file": await anonymous.post(url, data=FormData(fields, default_to_multipart=True)),
        "no form": await anonymous.post(url, data=b"x", headers={"Content-Type": "application/pdf"}),
        "no boundary": await anonymous.post(url, data=b"x", headers={"Content-Type": "multipart/form-data"}),
    }

    assert {
        **dict.fromkeys(answers, 422),
        "larger than announced": 413,
        "another policy": 401,
        "another signature": 401,
        "expired": 401,
    } == {name: answer.status for name, answer in answers.items()}
    assert [] == left(service)


async def test_a_form_that_is_cut_off_brings_nothing(service: Service, client: Client, anonymous: Client) -> None:
    session = await begun(client)
    url, fields = await presigned(client, session)
    with MultipartWriter("form-data", boundary="B") as form:
        for name, value in fields.items():
            form.append(value).set_content_disposition("form-data", name=name)
        form.append(b"%PDF").set_content_disposition("form-data", name="file", filename="x")
    whole = form.decode().encode()
    headers = {"Content-Type": "multipart/form-data; boundary=B"}

    cut = await anonymous.post(url, data=whole[: whole.index(b"%PDF") + 2], headers=headers)

    assert (422, [], []) == (cut.status, await files(service, session), left(service))


async def test_only_a_session_that_goes_on_and_is_ones_own_takes_files(
    service: Service, client: Client, anonymous: Client, drive: Drive
) -> None:
    session = await begun(client)
    form = await presigned(client, session)
    stranger = await drive.key("admin", project="other")
    path = f"/api/v2/files/sessions/{session}/presigned-url"

    foreign = await anonymous.post(path, json=WISH, headers=stranger)
    browser = await client.post(path.replace("sessions", "browsers"), json=WISH)
    unknown = await client.post(path.replace(session, control.fresh_id()), json=WISH)
    no_id = await client.post(path.replace(session, "x"), json=WISH)
    await client.patch(f"/api/v2/sessions/{session}", json={"action": "stop"})
    stopped = await client.post(path, json=WISH)
    late = await sent(anonymous, form)

    assert [404, 404, 404, 422, 400, 400] == [each.status for each in (foreign, browser, unknown, no_id, stopped, late)]
    assert ([], []) == (left(service), await files(service, session))


async def test_the_files_of_a_session_have_fifty_megabytes_at_most(
    service: Service, client: Client, anonymous: Client
) -> None:
    session = await begun(client)
    state = await service.sessions.fresh(f"session-{session}")
    assert state.created is not None
    big = e.File(id="big", name="big", blob="0" * 64, size=uploads.MAX_TOGETHER - 4)
    await service.store.append(
        f"session-{session}", state.version, [e.FileUploaded(project="default", file=big)], actor="system"
    )

    answers = [
        (await sent(anonymous, await presigned(client, session, fileName=name), data)).status
        for name, data in (("a", b"12345"), ("b", b"1234"), ("b", b"4321"), ("c", b"1"))
    ]

    assert [413, 204, 204, 413] == answers


async def test_a_project_keeps_so_many_bytes_of_uploads_and_no_more(
    service: Service, client: Client, anonymous: Client
) -> None:
    session = await begun(client)
    forms = [await presigned(client, session, fileName=name) for name in ("a", "b")]
    everything = e.File(id="all", name="all", blob="0" * 64, size=service.settings.uploads_bytes - 4)
    (recorded,) = await service.store.append(
        "files-default", 0, [e.FileUploaded(project="default", file=everything)], actor="system"
    )
    await service.projector.reached(recorded.position)

    answers = [await sent(anonymous, form, data) for form, data in zip(forms, (b"12345", b"1234"), strict=True)]
    full = await client.post("/api/v1/uploads/presigned-url", json={"file_name": "a.csv", "content_type": "text/csv"})

    assert [413, 204, 413] == [answer.status for answer in (*answers, full)]
    assert "TAPEWRIGHT_UPLOADS_BYTES" in (await full.json())["detail"]


async def test_an_output_file_is_had_through_both_families(client: Client, anonymous: Client, drive: Drive) -> None:
    task_id = await produced(drive, "prices.csv", b"a,b")
    foreign = await produced(drive, "b.csv", b"B", project="other")
    (listed,) = (await (await client.get(f"/api/v2/tasks/{task_id}")).json())["outputFiles"]
    path = f"/api/v2/files/tasks/{task_id}/output-files/{listed['id']}"

    answer = await (await client.get(path)).json()
    response = await anonymous.get(local(answer["downloadUrl"]))
    refused = [
        (await client.get(path.replace(listed["id"], control.fresh_id()))).status,
        (await client.get(path.replace(task_id, foreign))).status,
        (await client.get(path.replace(listed["id"], "x"))).status,
        (await anonymous.get(path)).status,
    ]

    assert {"id": listed["id"], "fileName": "prices.csv"} == listed | {"fileName": answer["fileName"]}
    assert (200, b"a,b") == (response.status, await response.read())
    assert [404, 404, 422, 401] == refused


async def test_the_links_of_a_task_that_was_deleted_with_its_session_open_nothing(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id = await produced(drive, "prices.csv", b"a,b")
    view = await (await client.get(f"/api/v2/tasks/{task_id}")).json()
    path = f"/api/v2/files/tasks/{task_id}/output-files/{view['outputFiles'][0]['id']}"
    links = [local((await (await client.get(path)).json())["downloadUrl"])]
    links += [local(url) for url in (await (await client.get(f"/api/v1/task/{task_id}/media")).json())["recordings"]]
    shown = await drive.create(session=view["sessionId"])
    await drive.start(shown)
    await drive.step(shown, screenshot=b"\x89PNG")
    await drive.finish(shown)
    pictures = await (await client.get(f"/api/v1/task/{shown}/screenshots")).json()
    links += [local(url) for url in pictures["screenshots"]]

    before = [(await anonymous.get(link)).status for link in links]
    deleted = await client.delete(f"/api/v2/sessions/{view['sessionId']}")
    after = [(await anonymous.get(link)).status for link in links]

    assert (3 * [200], 204, 3 * [404]) == (before, deleted.status, after)
