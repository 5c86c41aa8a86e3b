"""What somebody is told whose arguments mean nothing."""

from __future__ import annotations

import pytest

from tui.command_line import parser


@pytest.mark.parametrize(
    ("arguments", "usage", "told"),
    [
        (["exec", "--bad", "x"], "usage: pairloop exec", "unrecognized arguments: --bad"),
        (["key", "set", "openai", "more"], "usage: pairloop key set", "unrecognized arguments: more"),
        (["--bad"], "usage: pairloop [-h]", "unrecognized arguments: --bad"),
        (["chek"], "usage: pairloop [-h]", "there is no command 'chek'. Did you mean check?"),
        (["mend the prices"], "usage: pairloop [-h]", "there is no command 'mend the prices'. A task goes behind exec"),
        (["key", "put"], "usage: pairloop key", "invalid choice: 'put'"),
        (["exec", "x", "--mode", "never"], "usage: pairloop exec", "invalid choice: 'never'"),
    ],
    ids=" ".join,
)
def test_it_is_said_by_the_command_that_was_called(
    arguments: list[str], usage: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(usage)
    assert told in said


def test_options_stand_before_a_command_and_behind_it() -> None:
    assert parser().parse_args(["--model", "m", "exec", "x", "--json"]).json is True
    assert parser().parse_args(["memory", "add", "two", "words"]).words == ["two", "words"]
