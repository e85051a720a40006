"""What `helm test` runs: every check is made and told, and the exit code says which one failed first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_api.checks import Check, CheckFailed, read_checks
from fedround_operator.kit.checks import answers, patient, run_checks
from support.http_stub import Answer, HttpStub


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    made = HttpStub()
    yield made
    made.close()


def failing(sentence: str) -> Check:
    def check() -> str:
        raise CheckFailed(sentence)

    return check


def test_all_checks_are_made_and_the_first_failure_is_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    checks = {"one": lambda: "fine", "two": failing("no door"), "three": failing("no store")}

    assert run_checks(checks) == 2

    said = capsys.readouterr()
    assert said.out == "ok      one: fine\n"
    assert said.err == "FAILED  two: no door\nFAILED  three: no store\n"


def test_a_defect_fails_its_check_alone_and_its_traceback_is_in_the_log(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDROUND_REPORT", str(tmp_path / "report"))

    def no_idna() -> str:
        raise UnicodeError("label too long")

    assert run_checks({"one": lambda: "fine", "two": no_idna, "three": lambda: "fine too"}) == 2

    found = read_checks((tmp_path / "report").read_text())
    assert [(one.name, one.result.value) for one in found] == [("one", "ok"), ("two", "failed"), ("three", "ok")]
    assert "UnicodeError: label too long" in capsys.readouterr().err


def test_nothing_failed_is_zero() -> None:
    assert run_checks({"one": lambda: "fine"}) == 0


def test_what_comes_right_while_programs_start_has_not_failed() -> None:
    answers_in_turn = iter(["", "there now"])

    def check() -> str:
        if found := next(answers_in_turn):
            return found
        raise CheckFailed("nobody there")

    assert patient({"one": check}, pause_seconds=0)["one"]() == "there now"


def test_what_stays_wrong_is_told_when_patience_ends() -> None:
    with pytest.raises(CheckFailed, match="no door"):
        patient({"one": failing("no door")}, seconds=0)["one"]()


def test_a_probe_that_answers_is_fine(stub: HttpStub) -> None:
    assert answers(f"{stub.address}/readyz") == f"{stub.address}/readyz answered 200"


def test_a_probe_that_refuses_is_told_with_its_reason(stub: HttpStub) -> None:
    stub.reply = lambda asked: Answer(503, b"the watch has given no sign of life for 400 s")

    with pytest.raises(CheckFailed, match="answered 503: the watch has given no sign of life"):
        answers(f"{stub.address}/readyz")


def test_nobody_at_the_address_is_told(stub: HttpStub) -> None:
    stub.close()

    with pytest.raises(CheckFailed, match="does not answer"):
        answers(f"{stub.address}/readyz")
