"""The sample models as they are deployed, each in a folder of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

from models.breast_cancer import train as breast_cancer
from models.diabetes import train


def trained_diabetes(folder: Path) -> Path:
    """Put the diabetes model's YAML, its scoring script and the trained model into a folder; returns it."""
    for path in (*train.FOLDER.glob("*.yml"), train.FOLDER / "score.py"):
        shutil.copy(path, folder)
    train.train(folder / "model")
    return folder


def trained_breast_cancer(folder: Path) -> Path:
    """Put the breast-cancer model's YAML and the trained model into a folder; returns it.

    The training is a process of its own: merely importing mlflow gives warnings, which are errors in tests.
    """
    for path in (*breast_cancer.FOLDER.glob("*.yml"), breast_cancer.FOLDER / "train.py"):
        shutil.copy(path, folder)
    subprocess.run([sys.executable, str(folder / "train.py")], check=True)
    return folder
