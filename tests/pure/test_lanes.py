"""Whose turn it is: bounded for each webhook and in all, and nobody waits for one that hangs."""

from runner.lanes import DOUBTFUL_ROOM, EACH, ROOM, Lane, Lanes

HERE = "http://a.test"


def taken(lanes: Lanes, now: int = 0) -> list[Lane]:
    """All whose turn it is."""
    found = []
    while lane := lanes.take(now):
        found.append(lane)
    return found


def names(found: list[Lane]) -> list[tuple[str, str]]:
    return [(lane.hook, lane.task) for lane in found]


def offer(lanes: Lanes, hook: str, count: int, origin: str = HERE) -> None:
    for number in range(count):
        lanes.offer(hook, str(number), origin, number + 1)


def test_one_webhook_has_a_few_under_way_and_the_rest_follow_in_their_order() -> None:
    lanes = Lanes()
    offer(lanes, "h", EACH + 2)
    lanes.offer("g", "0", HERE, 1)

    first = taken(lanes)
    lanes.drop(first[0])

    assert [*[("h", str(number)) for number in range(EACH)], ("g", "0")] == names(first)
    assert [("h", str(EACH))] == names(taken(lanes))


def test_all_together_have_a_bound() -> None:
    lanes = Lanes()
    for number in range(ROOM + 1):
        lanes.offer(f"h{number}", "t", HERE, 1)

    first = taken(lanes)
    lanes.drop(first[0])

    assert (ROOM, 1) == (len(first), len(taken(lanes)))


def test_addresses_that_do_not_answer_leave_room_for_the_others() -> None:
    lanes = Lanes()
    lanes.doubt("http://dead.test", answered=False)
    for number in range(ROOM):
        lanes.offer(f"d{number}", "t", "http://dead.test", 1)

    assert DOUBTFUL_ROOM == len(taken(lanes))

    lanes.offer("h", "t", HERE, 1)
    assert [("h", "t")] == names(taken(lanes))
    lanes.doubt("http://dead.test", answered=True)
    lanes.offer("new", "t", "http://dead.test", 1)
    assert [("new", "t")] == names(taken(lanes))


def test_a_lane_is_busy_once_and_what_came_meanwhile_is_looked_at() -> None:
    lanes = Lanes()
    lanes.offer("h", "t", HERE, 5)
    (lane,) = taken(lanes)
    lanes.offer("h", "t", HERE, 9)

    assert [] == taken(lanes)
    lanes.drop(lane)
    assert [lane] == taken(lanes)
    lanes.drop(lane)
    assert ([], None, 0) == (taken(lanes), lanes.oldest(), lanes.of("h"))


def test_what_is_due_later_comes_then_and_news_bring_it_forward_once() -> None:
    lanes = Lanes()
    lanes.offer("h", "t", HERE, 5)
    (lane,) = taken(lanes)
    lanes.put_back(lane, due=100)

    assert ([], 100, 5) == (taken(lanes, 99), lanes.next_due(), lanes.oldest())
    lanes.offer("h", "t", HERE, 9)
    assert [lane] == taken(lanes, 99)
    lanes.put_back(lane, due=100)
    assert [lane] == taken(lanes, 100)
    assert [] == taken(lanes, 100)


def test_a_forgotten_webhook_has_no_turn_any_more_and_frees_its_room() -> None:
    lanes = Lanes()
    offer(lanes, "h", EACH + 2)
    under_way = taken(lanes)
    lanes.forget("h")
    for lane in under_way[1:]:
        lanes.drop(lane)
    lanes.put_back(under_way[0], due=7)

    assert ([], None, 0) == (taken(lanes, 9), lanes.oldest(), lanes.owed)
    offer(lanes, "h", EACH)
    assert EACH == len(taken(lanes))
