"""Whatever a deployment writes, and however files are written: the right prediction stands on the right row."""

import gzip
import io
from collections.abc import Mapping

import pandas as pd
import pytest

from local.stack import ROOT
from models.breast_cancer.train import FEATURES, fitted
from tests.e2e.drops import Drops, doubled, numbers, post, until

LABORATORY = ROOT / "models" / "breast_cancer"
SALES = ROOT / "models" / "forecast" / "data"

pytestmark = pytest.mark.full


def words(drops: Drops, files: Mapping[str, str | bytes]) -> dict[str, str]:
    """The final words of files that were dropped one after the other."""
    versions = {name: drops.drop(name, data) for name, data in files.items()}
    return {name: drops.closed(version)[1].word for name, version in versions.items()}


@pytest.mark.parametrize("folder", ["rows", "keyed"])
def test_rows_that_come_back_in_another_order_or_twice_find_their_place(drops: Drops, folder: str) -> None:
    names = [f"{folder}/{number}.csv" for number in range(4)]
    found = words(drops, {name: numbers(60, start=100 * at) for at, name in enumerate(names)})
    assert set(found.values()) == {"published"}
    assert [drops.predictions(name) for name in names] == [doubled(60, start=100 * at) for at in range(4)]


def test_a_key_that_comes_twice_is_refused(drops: Drops) -> None:
    run, word = drops.closed(drops.drop("keyed/twice.csv", "id,x\na,1\nb,2\na,3\n"))
    assert (run.outcome, word.word) == ("rejected", "rejected")
    assert 'Rows 1 and 3 have the same "id"' in word.why


def test_files_of_the_models_own_are_published_each_under_its_inputs_name(drops: Drops) -> None:
    names = [f"ownfiles/{number}.csv" for number in range(3)]
    assert set(words(drops, dict.fromkeys(names, "id,x\na,1\nb,2.5\n")).values()) == {"published"}
    for name in names:
        assert drops.predictions(name) == "id,x,twice\na,1,2.0\nb,2.5,5.0\n"
        assert drops.predictions(f"{name}.raw") == drops.predictions(name)


@pytest.mark.full
def test_an_mlflow_model_without_a_script(drops: Drops) -> None:
    dropped = (LABORATORY / "data" / "laboratory-1.csv").read_bytes()
    assert words(drops, {"breast-cancer/1.csv": dropped}) == {"breast-cancer/1.csv": "published"}
    published = pd.read_csv(io.StringIO(drops.predictions("breast-cancer/1.csv")))
    rows = pd.read_csv(io.BytesIO(dropped))
    assert list(published["mass"]) == list(rows["mass"])
    assert list(published["diagnosis"]) == list(fitted().predict(rows[list(FEATURES)]))


def test_a_forecaster_answers_with_rows_of_its_own(drops: Drops) -> None:
    files = {
        f"forecast/{name}": (SALES / name).read_bytes() for name in ("region-north.csv", "region-south.csv")
    }
    assert set(words(drops, files).values()) == {"published"}
    for name, data in files.items():
        published = pd.read_csv(io.StringIO(drops.predictions(name)))
        stores = set(pd.read_csv(io.BytesIO(data))["store"])
        assert list(published.columns) == ["store", "date", "sales"]
        assert (set(published["store"]), len(published)) == (stores, 14 * len(stores))


def test_a_file_larger_than_a_part_is_scored_by_several_mini_batches(drops: Drops) -> None:
    rows = 400_000
    run, word = drops.closed(drops.drop("cut/large.csv", numbers(rows)))
    assert (word.word, word.rows) == ("published", rows)
    assert 1 < run.parts < 10
    assert drops.predictions("cut/large.csv") == doubled(rows)


def test_an_archive_is_scored_as_what_it_holds(drops: Drops) -> None:
    packed = gzip.compress(numbers(50).encode())
    assert words(drops, {"cut/packed.csv.gz": packed}) == {"cut/packed.csv.gz": "published"}
    assert drops.predictions("cut/packed.csv") == doubled(50)


def test_what_a_spreadsheet_exports_is_read_as_the_route_declares_it(drops: Drops) -> None:
    exported = 'id;x\r\nMüller;1,5\r\n"a;b";n/a\r\nJosé;-2\r\nz;1000,5\r\n'.encode("windows-1252")
    run, word = drops.closed(drops.drop("spreadsheet/export.csv", exported))
    assert (word.word, word.rows, word.bad_rows) == ("published", 2, 2)
    assert drops.predictions("spreadsheet/export.csv") == "id,twice\nMüller,3.0\nJosé,-4.0\n"
    assert drops.predictions("spreadsheet/export.csv.errors.csv") == (
        "line,column,reason\n3,x,is not a number\n5,x,is more than 1000\n"
    )
    assert run.outcome == "succeeded"


def test_auto_proposes_and_the_rerun_pays_for_no_second_job(drops: Drops) -> None:
    version = drops.drop("unsure/a.csv", numbers(5))
    run, word = drops.closed(version)
    assert (run.outcome, word.word) == ("failed", "failed")
    assert 'match = "file"' in word.why
    jobs = drops.jobs()
    config = drops.stack.container("config").get_blob_client("routes.toml")
    before = config.download_blob(encoding="utf-8").readall()
    config.upload_blob(before.replace('match       = "auto"', 'match       = "file"'), overwrite=True)

    def rerun() -> bool:
        """Until the new routes are in force, it fails as before."""
        post(drops, f"runs/{run.run}/rerun")
        return drops.predictions(version.blob) == doubled(5)

    until(rerun, "the predictions", every=1)
    assert drops.jobs() == jobs
    config.upload_blob(before, overwrite=True)
