"""Places by similarity: found when they are certain, and refused for every reason not to be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.patch.fit import fit
from agent_core.patch.operations import Hunk, HunkLine
from agent_core.patch.place import Unplaced
from tests.patch.hunks import between, hunk, refusal, result, retyped, the_place
from tests.support.counting import count_lines

TEXT = """\
def settle_accounts(book, month):
    # The balance is carried over from the month before.
    balance = book.balance_of(month - 1)
    for entry in book.entries(month):
        balance += entry.amount
    book.close(month, balance)
    return balance


def print_report(book, out):
    for month in book.months:
        out.write(f"{month}: {book.balance_of(month)}")
    out.write("done")
    out.flush()
"""

# As its author remembers it: the comment is reworded.
REMEMBERED = (
    " def settle_accounts(book, month):",
    "     # The balance is taken over from the month before.",
    "     balance = book.balance_of(month - 1)",
    "     for entry in book.entries(month):",
    "-        balance += entry.amount",
    "+        balance += entry.amount - entry.fee",
    "     book.close(month, balance)",
)
CHANGED = TEXT.replace("entry.amount", "entry.amount - entry.fee")


def spoilt(old: str, new: str) -> Hunk:
    return hunk(*(line.replace(old, new) for line in REMEMBERED))


def test_a_reworded_line_of_context() -> None:
    one = hunk(*REMEMBERED)
    assert result(TEXT, one) == CHANGED
    place = the_place(TEXT, one)
    assert (place.level, place.start, place.end) == ("similarity", 0, 6)
    assert 0.85 < place.ratio < 1
    assert place.note == f"was placed by similarity ({place.ratio * 100:.0f} %) at lines 1-6"


def test_a_line_the_hunk_leaves_out() -> None:
    lines = [line for line in REMEMBERED if "taken over" not in line]
    lines[0] = " def settle_accounts(books, month):"
    text = TEXT.replace("    # The balance is carried over from the month before.\n", "    # b\n")
    assert result(text, hunk(*lines)) == text.replace("entry.amount", "entry.amount - entry.fee")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("balance += entry.amount", "balance -= entry.amount"),
        ("balance += entry.amount", "balance += 2 * entry.amount"),
        ("balance += entry.amount", "balance += entry.amounts"),
        ("balance += entry.amount", "balance += entry.amount  # all"),
        ("balance += entry.amount", "total += entry.amount"),
        ("balance += entry.amount", 'balance += entry["a  b"]'),
    ],
)
def test_a_line_that_goes_and_has_been_changed_since(old: str, new: str) -> None:
    said = refusal(TEXT.replace(old, new), hunk(*REMEMBERED))
    assert "its lines are not in the file. The closest place is lines 1-6" in said


def test_blanks_in_a_line_that_goes_do_not_matter() -> None:
    text = TEXT.replace("balance += entry.amount", "balance  +=  entry.amount")
    assert result(text, hunk(*REMEMBERED)) == CHANGED


def test_too_much_that_is_different() -> None:
    one = hunk(*(line.replace("book", "ledger").replace("month", "period") for line in REMEMBERED))
    assert "not in the file" in refusal(TEXT, one)


def test_a_line_that_is_quite_another() -> None:
    said = refusal(
        TEXT, spoilt("The balance is taken over from the month before.", "Nothing of it stands in the file at all?")
    )
    assert "not in the file" in said


def test_a_hunk_that_says_little() -> None:
    text = "if (a) {\n    go();\n}\n"
    assert "not in the file" in refusal(text, hunk(" if (a)  || {", "-    go();", "+    stay();", " }"))
    said = refusal("alpha = 1\nbeta = 2\n", hunk(" alpha = 1  # one", "-beta = 2", "+beta = 3"))
    assert "not in the file" in said


def test_two_places_that_are_about_as_like() -> None:
    other = TEXT.replace("settle_accounts", "settle_account").replace("carried", "moved")
    assert fit(TEXT + "\n\n" + other, [hunk(*REMEMBERED)]).text is None


def test_a_place_whose_line_was_edited_does_not_send_the_hunk_to_its_twin() -> None:
    edited = TEXT.replace("balance += entry.amount", "balance += entry.amount * 2")
    twin = TEXT.replace("settle_accounts", "settle_accounts_again").replace("print_report", "print_reports")
    assert fit(edited + "\n\n" + twin, [hunk(*REMEMBERED)]).text is None
    assert fit(twin + "\n\n" + edited, [hunk(*REMEMBERED)]).text is None


def test_lines_in_between_leave_open_where_new_ones_come() -> None:
    added = [line for line in REMEMBERED if line[0] == " "]
    added.insert(4, "+        check(entry)")
    text = TEXT.replace("        balance += entry.amount\n", "")
    assert result(text, hunk(*added)) == TEXT.replace("balance += entry.amount", "check(entry)")
    assert fit(TEXT, [hunk(*added)]).text is None


def test_lines_that_go_together_and_no_longer_stand_together() -> None:
    lines = [
        *REMEMBERED[:3],
        "-    for entry in book.entries(month):",
        "-        balance += entry.amount",
        REMEMBERED[6],
    ]
    assert fit(TEXT, [hunk(*lines)]).text is not None
    text = TEXT.replace("        balance +=", "        log(entry)\n        balance +=")
    assert fit(text, [hunk(*lines)]).text is None


def test_one_of_two_equal_lines_goes() -> None:
    text = TEXT.replace("        balance += entry.amount\n", "        balance += entry.amount\n" * 2)
    assert fit(text, [hunk(*REMEMBERED)]).text is None


def test_one_of_several_blank_lines_goes() -> None:
    head = (" def settle_books(entries):", "     total_of(entries)", "     close_books(entries)")
    text = "\n".join(line[1:] for line in head) + "\n\n\n@decorated\ndef print_report(book, out):\n    out.flush()\n"
    tail = (" def print_report(book, out):", "     out.flush()")
    # The hunk has forgotten what stands above the last lines, so which of the blank ones goes is open.
    assert fit(text, [hunk(*head, " ", "-", "+MORE = 1", " ", *tail)]).text is None
    assert fit(text, [hunk(*head, "-", "+MORE = 1", " ", " ", *tail)]).text is None


def test_a_new_line_whose_depth_is_not_certain() -> None:
    lines = list(REMEMBERED)
    lines[2] = " balance = book.balance_of(month - 1)"
    lines.insert(6, "+balance = round(balance)")
    said = refusal(TEXT, hunk(*lines))
    assert "how deep the new line 'balance = round(balance)' belongs there cannot be told" in said


def test_what_is_there_already_is_not_put_in_again() -> None:
    (answer,) = fit(CHANGED, [hunk(*REMEMBERED)]).answers
    assert isinstance(answer, Unplaced)
    lines = [line.replace("taken over", "carried over") for line in REMEMBERED]
    (answer,) = fit(CHANGED, [hunk(*lines)]).answers
    assert isinstance(answer, Unplaced)
    assert answer.already
    assert answer.reason == "these lines are already there (lines 1-6), so there is nothing to change."


def test_below_lines_left_out_nothing_is_placed_by_similarity() -> None:
    head, tail = hunk(" def print_report(book, out):"), hunk(*REMEMBERED)
    assert fit(TEXT, [tail], ordered=False).text is not None
    assert fit(TEXT, [head, tail], ordered=False).text is None


def test_the_order_of_the_hunks_is_kept() -> None:
    report = hunk('-    out.write("done")', '+    out.write("finished")', number=9)
    similar = hunk(*REMEMBERED)
    assert fit(TEXT, [similar, report]).text is not None
    fitted = fit(TEXT, [report, similar])
    assert fitted.text is None
    assert isinstance(fitted.answers[1], Unplaced)
    assert "stand above hunk 1" in fitted.answers[1].reason
    assert fit(TEXT, [report, similar], ordered=False).text is not None


WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta", "total", "value", "count", "1", "2", "42"])
STATEMENT = st.builds("{} = {}({}, {})".format, WORDS, WORDS, WORDS, WORDS)


@settings(max_examples=300)
@given(st.lists(STATEMENT, min_size=6, max_size=30), st.data())
def test_a_hunk_misremembered_makes_the_new_text_or_nothing(lines: list[str], data: st.DataObject) -> None:
    """Names of context lines are changed; whatever is accepted is the place that was meant."""
    at = data.draw(st.integers(0, len(lines) - 1))
    wrong = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=3)) - {at}
    old = "".join(f"{line}\n" for line in lines)
    new = "".join(f"{line}\n" for line in [*lines[:at], "fresh = made()", *lines[at + 1 :]])
    (one,) = between(old, new, 4)
    first = (one.old_start or 1) - 1
    written = []
    number = first
    for line in one.lines:
        text = line.text.replace("(", "_x(", 1) if line.sign == " " and number in wrong else line.text
        written.append(HunkLine(line.sign, text))
        number += line.sign != "+"
    assert fit(old, [Hunk(tuple(written), 1)]).text in {None, new}


@settings(max_examples=150)
@given(st.data())
def test_a_human_edit_of_any_line_is_never_overwritten(data: st.DataObject) -> None:
    """One line of the file is changed after the hunk was made: it is there afterwards, as it was changed."""
    lines = TEXT.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    words = lines[at].split(" ")
    where = data.draw(st.integers(0, len(words) - 1))
    words[where] += data.draw(st.sampled_from(["1", "x", "+", "!", ".b"]))
    lines[at] = " ".join(words)
    text = "".join(f"{line}\n" for line in lines)
    hunks = retyped(between(TEXT, CHANGED, 3), lambda line: line)
    fitted = fit(text, hunks)
    if fitted.text is not None:
        after = fitted.text.splitlines()
        assert after[at] == lines[at]
        assert fitted.text == text.replace("entry.amount", "entry.amount - entry.fee")


def test_a_long_file_of_likenesses_is_searched_in_bounded_time() -> None:
    text = TEXT * 1_500
    fitted, count = count_lines(lambda: fit(text, [hunk(*REMEMBERED)]))
    assert fitted.text is None
    # What grows with lines times lines would take many millions.
    assert count < 1_000_000


CLOSE = """\
    def close(self):
        count()
        load("value")
        return [item, row]

"""
# Texts in which the place most like a hunk need not be the one it means.
DOUBTFUL = {
    "a doubled line": (
        f"{CLOSE}    def load(self):\n        close(0)\n\n    def load(self):\n        raise ValueError\n",
        (*(f" {line}" for line in CLOSE.splitlines()), "     def load(self):", "     def load(self):",
         "+        first()", "         close(0)"),
    ),
    "a twin that begins where it ends": (
        f"class Name:\n{CLOSE * 2}",
        (" ", "     def close(self):", "         count(1)", '-        load("value")', "-        return [item, row]",
         "+        return 1"),
    ),
    "a twin, and the place meant has lost the line": (
        "    run()\n\n{0}\n    value = 1\n\n    def emit(self):\n{0}".format("    name = 0\n    size = item + 3\n"),
        ("     run()", " ", "-    def emit(self):", "+    def emit(self, out):", "     name = 0",
         "     size = item + 3"),
    ),
    "a line that goes stands above its context": (
        "def save(name):\n    # name of the name\n    # row of the item\n    save(count + 2)\n",
        (" def save(name):", "     # name of the name", "     save(count + 2)", "-    # row of the item"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "lines"), DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_a_change_that_may_belong_elsewhere(text: str, lines: tuple[str, ...]) -> None:
    assert "not in the file" in refusal(text, hunk(*lines))


FUNCTION = TEXT.partition("\n\n\n")[0] + "\n"


def test_likeness_does_not_decide_when_a_twin_has_as_many_of_the_lines() -> None:
    """The likest place has one line more: at the other one somebody may have taken it away."""
    meant = "run()\n\nname = 0\nsize = item + 3\n"
    text = "{}{}value = 1\n\ndef emit(self):\n{}".format(meant, "\n" * 20, meant.removeprefix("run()\n\n"))
    one = hunk(" run()", " ", "-def emit(self):", "+def emit(self, out):", " name = 0", " size = item + 3")
    assert fit(text, [one]).text is None
    assert fit(text.removeprefix(meant), [one]).text is not None


def test_likeness_does_not_decide_when_a_twin_is_nearly_as_like() -> None:
    twin = FUNCTION
    for line in ("book.balance_of(month", "book.entries(month", "book.close(month"):
        twin = twin.replace(line, f"{line}s")
    assert fit(TEXT + "\n\n" + twin, [hunk(*REMEMBERED)]).text is None


def test_most_lines_have_to_be_there_as_they_are() -> None:
    """Each of these is like its line; together they are of another function."""
    lines = [line.replace("month", "months") if line[0] == " " else line for line in REMEMBERED[:-1]]
    lines.append(REMEMBERED[-1])
    assert fit(TEXT, [hunk(*lines)]).text is None


def test_a_changed_line_is_not_taken_for_the_one_that_goes_which_is_elsewhere() -> None:
    text = TEXT.replace("+= entry.amount", "+= entry.amounts") + "\n" * 30 + "        balance += entry.amount\n"
    assert fit(text, [hunk(*REMEMBERED)]).text is None
