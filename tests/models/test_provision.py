"""models/provision.py: what it says of an error."""

from models.provision import reason_of


def test_an_error_is_told_without_blank_lines() -> None:
    assert reason_of(ValueError("\n\n1) One or more fields are invalid\n  \n\nDetails: (x) size\n")) == (
        "1) One or more fields are invalid\nDetails: (x) size"
    )
