"""What a person is told about a raw file of unknown form: the `match` it fits, never a value of it."""

import pytest

from shared.raw_proposal import SAMPLE, proposal

ONE, TWO = "part-00001.csv", "part-00002.csv"
BOTH = {ONE: 2, TWO: 1}
SINGLE = {ONE: 3}


def settings(text: str) -> str:
    """What is to be set, out of the whole advice."""
    return text.partition(": set ")[2].partition(" in the route and rerun the run; nothing is scored again.")[
        0
    ]


@pytest.mark.parametrize(
    ("raw", "parts", "predictions", "setting"),
    [
        (f"0,1.5,{TWO}\n1,1.5,{ONE}\n0,1.5,{ONE}\n", BOTH, 1, 'match = "row"'),
        (f"0,1.5,{TWO}\n0,1.5,{TWO}\n", BOTH, 1, 'match = "row"'),
        (f"0 1.5 {ONE}\n1 1.5 {ONE}\n0 1.5 {TWO}\n", BOTH, 1, 'match = "row", raw_delimiter = " "'),
        (
            f"0,1,2,{ONE}\n",
            BOTH,
            1,
            'match = "row", name 2 columns in `predictions` instead of 1',
        ),
        (f"1.5 {ONE}\n1.5 {ONE}\n1.5 {TWO}\n", BOTH, 1, 'match = "file"'),
        (f"0 1 {ONE}\n0 1 {ONE}\n0 1 {TWO}\n", BOTH, 2, 'match = "file"'),
        (f"1.5\t{ONE}\n1.5\t{ONE}\n1.5\t{TWO}\n", BOTH, 1, 'match = "file", raw_delimiter = "\\t"'),
        (f"a b,{ONE}\na b,{ONE}\nc,{TWO}\n", BOTH, 1, 'match = "file", raw_delimiter = ","'),
        (
            f"1.5 x {ONE}\n1.5 x {ONE}\n1.5 x {TWO}\n",
            BOTH,
            1,
            'match = "file", name 2 columns in `predictions` instead of 1',
        ),
        (f"1.5 {ONE}\n", BOTH, 1, 'match = "none"'),
        (f"1.5 {TWO}\n" * 5, BOTH, 1, 'match = "none"'),
        ("1.5\n2.5\n3.5\n", SINGLE, 1, 'match = "order"'),
        ("two words\n[1, 2]\nx\n", SINGLE, 1, 'match = "order"'),
        ("1 2\n3 4\n5 6\n", SINGLE, 2, 'match = "order"'),
        ("1;2\n3;4\n5;6\n", SINGLE, 2, 'match = "order", raw_delimiter = ";"'),
        ("k1 1 2\nk2 3 4\nk3 5 6\n", SINGLE, 2, 'match = "key"'),
        (f"{ONE}\n{TWO}\n", BOTH, 2, 'match = "files"'),
        ("1.5\n2.5\n", SINGLE, 1, 'match = "none"'),
        ("1.5\n" * 4, SINGLE, 1, 'match = "none"'),
    ],
)
def test_a_form_is_proposed_with_what_to_set(
    raw: str, parts: dict[str, int], predictions: int, setting: str
) -> None:
    assert settings(proposal(raw.encode(), parts, predictions)) == setting


def test_a_key_may_be_what_tells_rows_apart() -> None:
    one = proposal(b"k1 1.5\nk2 1.5\nk3 2\n", SINGLE, 1)
    assert settings(one) == 'match = "order"'
    assert one.endswith(
        'If each row begins with a key that only one row of the run has: set match = "key" and `key`.'
    )
    assert 'match = "key"' in proposal(b"k1 1.5\nk2 1.5\nk3 2\n", BOTH, 1)


@pytest.mark.parametrize(
    ("raw", "parts", "why"),
    [
        ("", BOTH, "it is empty"),
        ("\n\n", BOTH, "it is empty"),
        (f"['{ONE}', 1.5]\n", BOTH, "it holds Python lists"),
        (f"row,prediction,file\n0,1,{ONE}\n0,1,{TWO}\n", BOTH, "Is the first line a header?"),
        (f"1 {ONE}\n1 2 {ONE}\n1 {TWO}\n", BOTH, "differ in their number of fields"),
        ("1.5\n2.5\n", BOTH, "its rows do not name their file"),
        ("1.5 part-00009.csv\n", BOTH, "its rows do not name their file"),
    ],
)
def test_what_fits_no_form_is_said_with_the_reason(raw: str, parts: dict[str, int], why: str) -> None:
    text = proposal(raw.encode(), parts, 1)
    assert text.startswith("The raw file fits no form: ")
    assert why in text


def test_rows_of_another_width_fit_no_form() -> None:
    assert "neither 2 nor 3 fields" in proposal(b"1 2 3 4\n1 2 3 4\n1 2 3 4\n", SINGLE, 2)


@pytest.mark.parametrize(("rows", "setting"), [(10**9, 'match = "order"'), (5, 'match = "none"')])
def test_the_beginning_of_a_large_file_is_enough(rows: int, setting: str) -> None:
    """Its last line is cut off, and fewer rows than were sent mean nothing."""
    sample = (b"1.5\n" * SAMPLE)[: SAMPLE - 1] + b"x"
    assert settings(proposal(sample, {ONE: rows}, 1)) == setting


@pytest.mark.parametrize("predictions", [1, 2])
@pytest.mark.parametrize("parts", [SINGLE, BOTH])
@pytest.mark.parametrize(
    "line", ["{}\n", "{} {}\n", "0,{},part-00001.csv\n", "{} part-00001.csv\n", "['{}']\n", '"{}\n']
)
def test_no_proposal_shows_a_value(line: str, parts: dict[str, int], predictions: int) -> None:
    canary = "CANARY7391"
    assert canary not in proposal(line.replace("{}", canary).encode(), parts, predictions)
