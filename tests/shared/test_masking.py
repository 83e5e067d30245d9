"""What might be a row's value is masked in the texts of unexpected errors."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.masking import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("could not convert 'Jürgen' to float", "could not convert … to float"),
        ('bad value "4111 1111" in row', "bad value … in row"),
        ("bad value `x` here", "bad value … here"),
        ("row 17 has 3.14 or -2e5 or 1,000", "row … has … or … or …"),
        ("born 1980-02-29 at 10:30", "born … at …"),
        ("column 'age' holds 'old'", "column … holds …"),
        ("s5 of v2.1 in x_7", "s5 of v2.1 in x_7"),
        ("two\n  lines", "two lines"),
    ],
)
def test_quoted_text_and_numbers_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.text("ab 1.'\"\\\n", max_size=4), st.text("ab 1.'\"\\\n", max_size=4))
@example("'", "'\"")
@example("", "\\")
def test_a_value_that_python_quotes_is_masked(before: str, after: str) -> None:
    value = f"{before}CANARY{after}"
    assert "CANARY" not in masked(f"could not convert string to float: {value!r}")
    assert "CANARY" not in masked(f"{[value]!r} are not numbers")


def test_bytes_that_python_quotes_are_masked() -> None:
    assert "CANARY" not in masked(f"could not convert string to float: {b'CANARY'!r}")


def test_a_quote_that_is_never_closed_hides_the_rest() -> None:
    assert masked("could not read 'CANARY and so on") == "could not read …"
