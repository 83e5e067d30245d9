"""Train the sample model: `python models/diabetes/train.py`; with `--data`, write the sample CSVs anew, too.

The measurements are scikit-learn's bundled ones (Efron et al., "Least Angle Regression", 2004), in their
own units. Four fifths of the patients train the model, the others are held out. Both steps always give
the same result.
"""

import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).parent
FEATURES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
MODEL_FILE = "diabetes.joblib"


def measurements() -> tuple[pd.DataFrame, pd.Series]:
    """Every patient's measurements with the patient's id in front, and the progression to predict."""
    bunch = load_diabetes(scaled=False, as_frame=True)
    frame = bunch.data.loc[:, list(FEATURES)]
    frame.insert(0, "patient", [f"P{number:04d}" for number in range(1, len(frame) + 1)])
    return frame, bunch.target


def split() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    """Measurements to train on, those held out, and the progressions of both."""
    frame, target = measurements()
    train, held, train_target, held_target = train_test_split(frame, target, test_size=0.2, random_state=42)
    return train, held.sort_index(), train_target, held_target.sort_index()


def held_out() -> pd.DataFrame:
    """The patients the model never saw, with the columns of the sample CSVs."""
    return split()[1]


def train(folder: Path = FOLDER / "model") -> float:
    """Train the model, write it into `folder` and return its R² on the patients held out."""
    train_rows, held_rows, train_target, held_target = split()
    model: Pipeline = make_pipeline(StandardScaler(), RidgeCV(alphas=(0.1, 1.0, 10.0, 100.0)))
    model.fit(train_rows.loc[:, list(FEATURES)], train_target)
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / MODEL_FILE)
    return float(model.score(held_rows.loc[:, list(FEATURES)], held_target))


def write_data(folder: Path = FOLDER / "data") -> None:
    """Write the sample CSVs: two good ones, and a small one in which somebody typed `n/a` for a bmi."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = held_out().astype(str)
    rows.iloc[:40].to_csv(folder / "clinic-north.csv", index=False)
    rows.iloc[40:80].to_csv(folder / "clinic-south.csv", index=False)
    east = rows.iloc[80:].reset_index(drop=True)
    east.loc[4, "bmi"] = "n/a"
    east.to_csv(folder / "clinic-east.csv", index=False)


if __name__ == "__main__":
    if "--data" in sys.argv[1:]:
        write_data()
    print(f"R2 on held-out patients: {train():.3f}")
