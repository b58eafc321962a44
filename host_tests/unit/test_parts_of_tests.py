"""`--part 1/3` of pytest: every file of tests in one part, and the parts of about one length."""

import pytest


@pytest.fixture
def conftest(root, request):
    return request.config.pluginmanager.get_plugin(str(root / "host_tests" / "conftest.py"))


@pytest.mark.parametrize(("folder", "parts"), [("unit", 2), ("system", 3), ("system", 1)])
def test_every_file_is_in_one_part_and_the_parts_take_the_same_time(root, conftest, folder, parts):
    files = set((root / "host_tests" / folder).rglob("test_*.py"))
    lots = [conftest.share(files, part, parts) for part in range(1, parts + 1)]
    assert set.union(*lots) == files and sum(map(len, lots)) == len(files)
    known = conftest.costs()
    times = [sum(known.get(file, 1) for file in lot) for lot in lots]
    assert max(times) - min(times) <= max(known.values())


def test_the_costs_are_those_of_files_that_there_are(conftest):
    assert [str(path) for path in conftest.costs() if not path.is_file()] == []
