"""Train the sample model: `python models/breast_cancer/train.py`; with `--data`, write the sample CSVs anew, too.

The measurements are scikit-learn's bundled ones (Street, Wolberg and Mangasarian, "Nuclear feature extraction
for breast tumor diagnosis", 1993): of each measurement, the mean over a mass's nuclei. Four fifths of the masses
train the model, the others are held out. Both steps always give the same result.
"""

import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).parent
FEATURES = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave_points", "symmetry", "fractal_dimension"),
)
REQUIREMENTS = ("mlflow-skinny", "pandas", "scikit-learn", "skops")


def measurements() -> tuple[pd.DataFrame, pd.Series]:
    """Every mass's measurements with its id in front, and the diagnosis to predict: malignant or benign."""
    bunch = load_breast_cancer(as_frame=True)
    frame = bunch.data.loc[:, [f"mean {name.replace('_', ' ')}" for name in FEATURES]]
    frame.columns = list(FEATURES)
    frame.insert(0, "mass", [f"M{number:04d}" for number in range(1, len(frame) + 1)])
    return frame, bunch.target.map(dict(enumerate(bunch.target_names))).rename("diagnosis")


def split() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    """Measurements to train on, those held out, and the diagnoses of both."""
    frame, target = measurements()
    train, held, train_target, held_target = train_test_split(
        frame, target, test_size=0.2, random_state=42, stratify=target
    )
    return train, held.sort_index(), train_target, held_target.sort_index()


def fitted() -> Pipeline:
    """The model, trained on the measurements of four fifths of the masses."""
    rows, _, target, _ = split()
    model: Pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(rows.loc[:, list(FEATURES)], target)


def accuracy(model: Pipeline) -> float:
    """The share of the masses held out whose diagnosis the model predicts."""
    _, held, _, target = split()
    return float(model.score(held.loc[:, list(FEATURES)], target))


def save(model: Pipeline, folder: Path = FOLDER / "model") -> None:
    """Write the model into `folder` in MLflow's form, in place of what is there."""
    # Read by mlflow when it is imported, which takes seconds: only whoever saves the model does that.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow.models import infer_signature
    from mlflow.sklearn import save_model

    rows = split()[0].loc[:, list(FEATURES)]
    shutil.rmtree(folder, ignore_errors=True)
    save_model(
        model,
        folder,
        signature=infer_signature(rows, pd.DataFrame({"diagnosis": model.predict(rows)})),
        pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
    )


def write_data(folder: Path = FOLDER / "data") -> None:
    """Write the sample CSVs: the masses held out, of two laboratories."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = split()[1].astype(str)
    half = len(rows) // 2
    rows.iloc[:half].to_csv(folder / "laboratory-1.csv", index=False)
    rows.iloc[half:].to_csv(folder / "laboratory-2.csv", index=False)


if __name__ == "__main__":
    if "--data" in sys.argv[1:]:
        write_data()
    trained = fitted()
    save(trained)
    print(f"accuracy on held-out masses: {accuracy(trained):.3f}")
