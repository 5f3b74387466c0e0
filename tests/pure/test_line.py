"""The line before the runner: first come, first served, and one at a time into a session."""

from runner.line import Line


def test_who_comes_first_is_first_and_nobody_waits_twice() -> None:
    line = Line()

    for stream in ("a", "b", "a", "c"):
        line.join(stream)

    assert ["a", "b", "c"] == [line.first() for _ in range(3)]


def test_of_one_session_one_is_let_in_and_the_others_wait_behind_it() -> None:
    line = Line()
    for stream, session in (("a", "s"), ("b", "s"), ("c", "t")):
        line.note(stream, session)

    let_in = [line.enter(stream) for stream in ("a", "b", "c", "unheard of")]
    line.leave("s")

    assert ["s", None, "t", "unheard of"] == let_in
    assert (False, True, "b") == (line.occupied("s"), line.occupied("t"), line.first())


def test_the_tasks_of_a_session_are_those_that_have_not_ended() -> None:
    line = Line()
    for stream, session in (("a", "s"), ("b", "t"), ("c", "s"), ("d", "s")):
        line.note(stream, session)

    line.forget("c")
    line.forget("never there")

    assert (["a", "d"], ["b"], []) == (line.of("s"), line.of("t"), line.of("u"))
