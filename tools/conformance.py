"""`make conformance`: the cases of the published abstract test suites, by name, with results.

Runs host_tests/system/test_conformance_*.py against a virtual meter of its own, or a real one, and
prints one line a case. A case that the list below names and no test has is an error like one that
fails.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import meter_options
import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "host_tests" / "system"
# Beginnings of the names of the tests, in the order of the suites
SUITES = {
    "HDLC": (
        "frame_p1 frame_p2 frame_p3 frame_n1 frame_n2 frame_n3 frame_n4 frame_n5 frame_n7 "
        "frame_n8 address_p1 address_n1 address_n4 address_n6 address_n7 ndm2nrm_p1 ndm2nrm_p2 "
        "info_p1 info_n1 info_n2 info_n3 ndmop_n1 the_same_information_frame_twice"
    ),
    "APPL": (
        "idle_n1 open_1 open_3 open_4 open_5 open_6 open_7 open_9 open_11 open_12 open_13 open_14 "
        "data_ln_n1 data_ln_n3 data_ln_n4 rel_p1"
    ),
    "COSEM": (
        "cosem_object_list cosem_every_attribute cosem_write_back cosem_refusal cosem_methods "
        "cosem_profile_by_range cosem_profile_by_entry cosem_register_monitor cosem_push "
        "cosem_multiple_references cosem_mandatory_objects cosem_the_public_clients_objects"
    ),
    "SYMSEC": (
        "symsec_replay symsec_sending_counter symsec_key_transfer_of_the_guek "
        "symsec_key_transfer_of_the_gak symsec_key_transfer_of_both symsec_wrong_key_id "
        "symsec_wrong_wrapping symsec_dedicated_key symsec_protected_data "
        "symsec_badly_protected_rlrq symsec_each_security_policy symsec_security_policy_2"
    ),
}
LINKS = ("wrapper", "rs485")
PASSED, SKIPPED, FAILED = "passed", "skipped", "FAILED"


class Results:
    """A pytest plugin that keeps the outcome of every test: {name: {link: (outcome, why)}}."""

    def __init__(self) -> None:
        self.cases: dict[str, dict[str, tuple[str, str]]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's own
        """Take one phase of one test; the worst of a case's phases and parameters counts."""
        if report.when != "call" and not (report.failed or report.skipped):
            return
        name = report.nodeid.rpartition("::")[2]
        test, _, parameters = name.partition("[")
        link = next((one for one in LINKS if one in parameters.rstrip("]").split("-")), "")
        if not link:
            link = "rs485" if "conformance_hdlc" in report.nodeid else "both"
        outcome = FAILED if report.failed else SKIPPED if report.skipped else PASSED
        why = ""
        if outcome == SKIPPED:
            why = str(report.longrepr[2]).removeprefix("Skipped: ")
        elif outcome == FAILED:
            why = report.nodeid
        known = self.cases.setdefault(test.removeprefix("test_"), {})
        before = known.get(link, (PASSED, ""))
        order = (PASSED, SKIPPED, FAILED)
        if link not in known or order.index(outcome) > order.index(before[0]):
            known[link] = (outcome, why)


def lines_of(suite: str, cases: dict[str, dict[str, tuple[str, str]]]) -> tuple[list[str], int]:
    """Return the lines to print for one suite, and how many of its cases are bad."""
    lines: list[str] = []
    bad = 0
    for case in SUITES[suite].split():
        tests = [name for name in cases if name == case or name.startswith(case + "_")]
        if not tests:
            lines.append(f"  {case:58} MISSING")
            bad += 1
        for name in tests:
            title = case.upper() + name[len(case) :].replace("_", " ")
            for link, (outcome, why) in sorted(cases[name].items(), reverse=True):
                bad += outcome == FAILED
                said = f"{outcome}: {why}" if why else outcome
                lines.append(f"  {title:58} {link:8} {said}")
    return lines, bad


def main(arguments: list[str]) -> int:
    """Run the suites and print the list; 0 if nothing failed and nothing is missing."""
    parser = argparse.ArgumentParser(description="Runs the conformance cases and lists them.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=" ".join(SUITES))
    # what says where a real meter is goes to pytest as it stands (host_tests/system/conftest.py)
    meter_options.add(parser.add_argument_group("a real meter instead of the virtual one"), None)
    parser.add_argument("--change", action="store_true", help="cases that change it, too")
    options = parser.parse_args(arguments)
    chosen = [suite.upper() for suite in options.suites] or list(SUITES)
    unknown = [suite for suite in chosen if suite not in SUITES]
    if unknown:
        parser.error("no such suite: " + ", ".join(unknown))
    files = [str(TESTS / f"test_conformance_{suite.lower()}.py") for suite in chosen]
    results = Results()
    os.chdir(ROOT)
    status = pytest.main(
        ["-q", "--no-header", "-p", "no:cacheprovider", *meter_options.again(options), *files],
        [results],
    )
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return 2
    bad = 0
    print()
    for suite in chosen:
        lines, wrong = lines_of(suite, results.cases)
        bad += wrong
        print(suite, *lines, sep="\n")
    cases = sum(len(SUITES[suite].split()) for suite in chosen)
    print(f"{cases} cases, {bad} of them bad" if bad else f"{cases} cases, none bad")
    return 1 if bad or status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
