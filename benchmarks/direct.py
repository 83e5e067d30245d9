"""The sample model called as it is: `python -m benchmarks.direct FILE...` prints how many rows it predicted."""

import os
import sys
from pathlib import Path

MODEL = Path(__file__).resolve().parent.parent / "models" / "diabetes"


def main(files: list[str]) -> None:
    os.environ["AZUREML_MODEL_DIR"] = str(MODEL)
    sys.path.insert(0, str(MODEL))
    import score  # type: ignore[import-not-found]

    score.init()
    print(sum(len(score.run([file])) for file in files))


if __name__ == "__main__":
    main(sys.argv[1:])
