"""The sample model that MLflow describes: how well it predicts, and its sample data."""

from pathlib import Path

import pandas as pd

from models.breast_cancer import train

SAMPLES = train.FOLDER / "data"


def test_the_model_is_right_for_most_masses_it_never_saw() -> None:
    assert train.accuracy(train.fitted()) > 0.9


def test_training_always_gives_the_same_model() -> None:
    rows = train.split()[1][list(train.FEATURES)]
    probabilities = [train.fitted().predict_proba(rows).tolist() for _ in range(2)]
    assert probabilities[0] == probabilities[1]


def test_the_samples_are_what_the_script_writes_and_hold_no_mass_trained_on(tmp_path: Path) -> None:
    train.write_data(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["laboratory-1.csv", "laboratory-2.csv"]
    masses: list[str] = []
    for name in names:
        assert (SAMPLES / name).read_text() == (tmp_path / name).read_text()
        masses += pd.read_csv(tmp_path / name)["mass"].tolist()
    rows, held, _, _ = train.split()
    assert masses == held["mass"].tolist()
    assert not set(masses) & set(rows["mass"])
