"""Raw predictions in files of their own (`output_action: summary_only`): which file belongs to which part."""

import re
from collections.abc import Iterable, Set

from shared.errors import StageFailed
from shared.raw_blocks import UNUSABLE

WORD = re.compile(r"(?<![0-9A-Za-z])part-[0-9]+(?![0-9A-Za-z])")


def files_of_parts(
    names: Iterable[str], parts: Iterable[str], may_lack: Set[str] = frozenset()
) -> dict[str, str]:
    """The file of every part. `names`: all that the job wrote, below its folder; `parts`: as `part-00001.csv`.

    A file is a part's where the name holds the part's stem once, as a word, and no other's: `part-00001.csv.out`,
    `scored-part-00001.parquet`. Raises StageFailed where a part that is none of those that `may_lack` one has no file,
    or a part two, or a file no part.
    """
    stems = {part.removesuffix(".csv"): part for part in parts}
    found: dict[str, str] = {}
    for name in sorted(names):
        words = WORD.findall(name)
        part = stems.get(words[0]) if len(words) == 1 else None
        if part is None:
            raise StageFailed(
                f'The job wrote "{name}", which belongs to no part. {UNUSABLE[:-1]}: with match = "files" the script '
                "writes one file for each file it gets, with that one's name in its own."
            )
        if part in found:
            raise StageFailed(f'The job wrote two files for {part}: "{found[part]}" and "{name}". {UNUSABLE}')
        found[part] = name
    missing = sorted(set(stems.values()) - set(found) - may_lack)
    if missing:
        raise StageFailed(
            f"The job wrote no file for {len(missing)} of {len(stems)} parts, such as {missing[0]}. {UNUSABLE}"
        )
    return found
