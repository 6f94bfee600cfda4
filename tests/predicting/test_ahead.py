import threading

import pytest

from mtl_dm.predicting.ahead import map_ahead


def test_results_come_in_the_order_of_the_items():
    second = threading.Event()

    def work(item):
        if item == 0:
            assert second.wait(60)  # Ends after the second, and still comes first.
        if item == 1:
            second.set()
        return item * 10

    assert list(map_ahead(work, range(5), threads=2, ahead=3)) == [0, 10, 20, 30, 40]


def test_work_goes_on_while_the_caller_has_a_result():
    begun = threading.Event()

    def work(item):
        if item == 3:
            begun.set()
        return item

    results = map_ahead(work, range(9), threads=1, ahead=3)
    assert next(results) == 0
    assert begun.wait(60)
    assert list(results) == list(range(1, 9))


def test_no_more_items_are_taken_than_may_wait():
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    results = map_ahead(str, items(), threads=2, ahead=4)
    for place in range(100):
        assert next(results) == str(place)
        assert len(taken) == min(100, place + 5)


def test_an_error_comes_where_its_result_is_due_and_the_rest_is_dropped():
    done = []

    def work(item):
        done.append(item)
        if item == 2:
            raise RuntimeError("the third")
        return item

    results = map_ahead(work, range(50), threads=1, ahead=10)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RuntimeError, match="the third"):
        next(results)
    assert len(done) <= 13


def test_who_stops_early_leaves_no_thread():
    before = threading.active_count()
    results = map_ahead(str, range(50), threads=3, ahead=10)
    assert next(results) == "0"
    results.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(("threads", "ahead"), [(0, 1), (1, 0)])
def test_there_must_be_a_thread_and_something_to_wait(threads, ahead):
    with pytest.raises(ValueError, match="at least 1"):
        next(map_ahead(str, range(3), threads, ahead))
