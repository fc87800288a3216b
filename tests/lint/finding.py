"""What a check finds, and the files that it looks at."""
import pathlib
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Finding(NamedTuple):
    file: str
    line: int
    rule: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.rule}"


def files(root, folders=("src",), endings=(".c", ".h")):
    """All files of those folders, as (path from the root, lines)."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in endings and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text().splitlines()
