"""The texts of unexpected errors, without what might be a row's value."""

import re

# Text in quotes, escaped ones inside it included, to the end where it is not closed, and numbers. A quote after a
# word is an apostrophe, after b, f, r or u alone it is Python's.
PERHAPS_A_VALUE = re.compile(
    r"""(?<!\w)[bBfFrRuU]{0,2}'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)|`[^`]*(?:`|$)|(?<![\w.-])[-+]?\d[\d.,:eE+-]*"""
)


# What opens doors: bearer tokens, JSON Web Tokens, the signature of a SAS.
SECRET = re.compile(r"(?i)\bbearer\s+\S+|\beyJ[\w-]{5,}[\w.-]*|\bsig=[^&\s\"']+")


def without_secrets(text: str) -> str:
    """The text on one line, without tokens and signatures."""
    return SECRET.sub("…", " ".join(text.split()))


def masked(text: str) -> str:
    """The text on one line, quoted parts and numbers replaced by an ellipsis."""
    return PERHAPS_A_VALUE.sub("…", " ".join(text.split()))
