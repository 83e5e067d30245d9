"""The diabetes model: trained, its scoring script, its sample data, and a whole job on the local Azure ML."""

import json
from pathlib import Path

import joblib
import pandas as pd
import pytest

from models.diabetes import score, score_online, train

from .deployable import trained_diabetes

SAMPLES = train.FOLDER / "data"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model in `model`, and the scoring script and YAML that serve it."""
    return trained_diabetes(tmp_path_factory.mktemp("diabetes"))


@pytest.fixture
def ready(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scoring script after its init()."""
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(trained))
    score.init()


def expected(trained: Path, name: str) -> list[float]:
    """The model's own predictions for a sample."""
    rows = pd.read_csv(SAMPLES / name)
    model = joblib.load(trained / "model" / train.MODEL_FILE)
    return [float(value) for value in model.predict(rows[list(train.FEATURES)])]


def test_the_model_explains_a_good_part_of_the_patients_it_never_saw(tmp_path: Path) -> None:
    assert train.train(tmp_path) > 0.4


@pytest.mark.usefixtures("ready")
def test_each_row_is_predicted_and_carries_its_file(trained: Path) -> None:
    names = ["clinic-north.csv", "clinic-south.csv"]
    scored = score.run([str(SAMPLES / name) for name in names])
    assert scored["prediction"].tolist() == [value for name in names for value in expected(trained, name)]
    assert scored["file"].tolist() == [name for name in names for _ in range(40)]


@pytest.mark.usefixtures("ready")
def test_columns_are_found_by_name_and_others_left_alone(tmp_path: Path, trained: Path) -> None:
    rows = pd.read_csv(SAMPLES / "clinic-north.csv")
    shuffled = rows[rows.columns[::-1]].assign(remark="none")
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    scored = score.run([str(tmp_path / "shuffled.csv")])
    assert scored["prediction"].tolist() == pytest.approx(expected(trained, "clinic-north.csv"))


@pytest.mark.usefixtures("ready")
def test_a_missing_column_is_named(tmp_path: Path) -> None:
    pd.read_csv(SAMPLES / "clinic-north.csv").drop(columns=["bmi", "s3"]).to_csv(tmp_path / "thin.csv")
    with pytest.raises(ValueError, match=r"thin\.csv: the column bmi, s3 is missing"):
        score.run([str(tmp_path / "thin.csv")])


@pytest.mark.usefixtures("ready")
def test_what_is_not_a_number_is_named_with_its_row() -> None:
    with pytest.raises(ValueError, match=r"clinic-east\.csv: bmi is not a number in row 5"):
        score.run([str(SAMPLES / "clinic-east.csv")])


def test_the_samples_are_what_the_script_writes_and_hold_no_patient_trained_on(tmp_path: Path) -> None:
    train.write_data(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["clinic-east.csv", "clinic-north.csv", "clinic-south.csv"]
    patients: list[str] = []
    for name in names:
        assert (SAMPLES / name).read_text() == (tmp_path / name).read_text()
        patients += pd.read_csv(tmp_path / name)["patient"].tolist()
    assert sorted(patients) == sorted(train.held_out()["patient"])
    assert not set(patients) & set(train.split()[0]["patient"])


def test_the_online_script_predicts_as_the_batch_script_does(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(trained))
    score_online.init()
    patients = pd.read_csv(SAMPLES / "clinic-north.csv").to_dict("records")
    answer = score_online.run(json.dumps({"data": patients}))
    assert answer["predictions"] == pytest.approx(expected(trained, "clinic-north.csv"))


@pytest.mark.parametrize(
    ("patient", "said"),
    [({"age": 50}, "the measurement sex, bmi"), (dict.fromkeys(train.FEATURES, "n/a"), "is not a number")],
)
def test_the_online_script_says_what_is_wrong_with_a_patient(
    trained: Path, monkeypatch: pytest.MonkeyPatch, patient: dict[str, object], said: str
) -> None:
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(trained))
    score_online.init()
    with pytest.raises(ValueError, match=said):
        score_online.run(json.dumps({"data": [patient]}))
