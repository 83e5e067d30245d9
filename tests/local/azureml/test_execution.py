"""What a job does with its files: formats, mini-batches, retries, timeouts, thresholds, outputs."""

import json
import uuid
from pathlib import Path

import pytest

from .client import Client, Serve, invocation, output_to

FRAME = """
import pandas

def init():
    pass

def run(mini_batch):
    return pandas.DataFrame({"number": [1.5, 2.0], "text": ["two words", "one"]})
"""

# Fails the first time it sees a file whose name begins with "once", always where it begins with "never".
MOODY = """
import os, time
from pathlib import Path

def init():
    pass

def run(mini_batch):
    for file in map(Path, mini_batch):
        mark = Path(os.environ["NOTES"], file.name)
        mark.write_text(mark.read_text() + "x" if mark.exists() else "x")
        if file.name.startswith("never") or (file.name.startswith("once") and mark.read_text() == "x"):
            {fault}
    return mini_batch
"""
RAISES = 'raise ValueError("no number in " + file.name)'
HANGS = "time.sleep(600)"
DIES = "os._exit(3)"

# Writes a file for each of its files, which says which process did; gives nothing back for none.csv.
OWN_FILES = """
import os, pathlib

def init():
    pass

def run(mini_batch):
    for file in map(pathlib.Path, mini_batch):
        target = pathlib.Path(os.environ["AZUREML_BI_OUTPUT_PATH"], "deep", file.name)
        target.parent.mkdir(exist_ok=True)
        target.write_text(str(os.getpid()))
    return [f"{file.name} and more" for file in map(pathlib.Path, mini_batch) if file.name != "none.csv"]
"""

RETURNS = """
def init():
    pass

def run(mini_batch):
    return {value}
"""


def test_a_list_becomes_one_line_for_each_item(serve: Serve) -> None:
    client = serve()
    job = client.run({"a.txt": "one\ntwo"})
    assert client.output(job) == "a.txt ONE\na.txt TWO\n"


def test_a_data_frame_becomes_space_separated_columns_without_header_and_index(serve: Serve) -> None:
    client = serve(FRAME)
    assert client.output(client.run({"a.txt": ""})) == '1.5 "two words"\n2.0 one\n'


def test_mini_batches_are_complete_and_never_in_the_order_of_the_input(serve: Serve) -> None:
    client = serve(mini_batch_size=2, max_concurrency_per_instance=2)
    for count in (3, 9):
        names = [f"{number}.txt" for number in range(count)]
        lines = client.output(client.run(dict.fromkeys(names, "x"))).splitlines()
        assert sorted(lines) == [f"{name} X" for name in names]
        assert lines != sorted(lines)


def test_a_mini_batch_may_be_a_single_file_by_the_callers_wish(serve: Serve) -> None:
    client = serve("def init(): pass\ndef run(mini_batch): return [len(mini_batch)] * len(mini_batch)")
    files = dict.fromkeys("abc", "x")
    assert client.output(client.run(files)) == "3\n3\n3\n"
    assert client.output(client.run(files, miniBatchSize=1)) == "1\n1\n1\n"


def test_nested_folders_are_not_explored(client: Client) -> None:
    job = client.run({"a.txt": "x", "nested/b.txt": "y"})
    assert client.output(job) == "a.txt X\n"


def test_a_single_file_is_an_input(client: Client) -> None:
    uri = client.upload({"a b/ü.txt": "x", "c.txt": "y"}) + "/a%20b/%C3%BC.txt"
    data = {"file": {"jobInputType": "UriFile", "uri": uri}}
    name = client.post({"properties": {"inputData": data}}).json()["name"]
    assert client.output(client.finished(name)) == "ü.txt X\n"


@pytest.mark.parametrize(
    "form",
    [
        "azureml://datastores/workspaceblobstore/paths/{path}",
        "azureml://subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/local/workspaces/local"
        "/datastores/workspaceblobstore/paths/{path}",
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
        "/providers/Microsoft.MachineLearningServices/workspaces/local"
        "/datastores/workspaceblobstore/paths/{path}",
    ],
)
def test_what_one_job_wrote_another_reads_from_the_datastore(client: Client, form: str) -> None:
    uri = form.format(path=f"chain-{uuid.uuid4()}/out.txt")
    output = {"anything": {"jobOutputType": "UriFile", "uri": uri}}
    assert "score" in client.run({"a.txt": "x"}, outputData=output)["properties"]["outputData"]
    folder = client.finished(client.invoke(uri.rpartition("/")[0]))
    assert client.output(folder) == "out.txt A.TXT X\n"


def test_the_script_finds_its_model_its_variables_its_modules_and_an_empty_folder(
    serve: Serve, tmp_path: Path
) -> None:
    script = """
import os, pathlib
import beside

def init():
    global model
    model = pathlib.Path(os.environ["AZUREML_MODEL_DIR"], "model", "weights.txt").read_text()

def run(mini_batch):
    print("printed by the script")
    return [[model, os.environ["COLOUR"], beside.VALUE, os.listdir(), os.getcwd() == __file__]]
"""
    (tmp_path / "served" / "code").mkdir(parents=True)
    (tmp_path / "served" / "code" / "beside.py").write_text("VALUE = 7")
    client = serve(script, environment_variables={"COLOUR": "red"})
    job = client.run({"a.txt": ""})
    assert client.output(job) == "['42', 'red', 7, [], False]\n"
    assert "printed by the script" in (tmp_path / "state/logs" / job["name"] / "process-0.txt").read_text()


def test_files_of_the_scripts_own_are_uploaded_beside_the_predictions(serve: Serve) -> None:
    client = serve(OWN_FILES, max_concurrency_per_instance=2, mini_batch_size=1)
    folder = f"own-{uuid.uuid4()}"
    job = client.run({"a.csv": "", "b.csv": ""}, outputData=output_to(f"{folder}/rows.txt"))
    scored_by = {client.blob("azureml", f"{folder}/deep/{name}") for name in ("a.csv", "b.csv")}
    assert len(scored_by) == 2
    assert sorted(client.output(job).splitlines()) == ["a.csv and more", "b.csv and more"]


def test_with_summary_only_what_run_gives_back_is_counted_and_not_written(serve: Serve) -> None:
    client = serve(OWN_FILES, output_action="summary_only", max_concurrency_per_instance=3, mini_batch_size=1)
    folder, names = f"own-{uuid.uuid4()}", [f"{number}.csv" for number in range(7)]
    job = client.run(
        dict.fromkeys([*names, "none.csv"], ""), outputData=output_to(f"{folder}/sum.txt"), errorThreshold=1
    )
    assert job["properties"]["status"] == "Completed"
    processes = {client.blob("azureml", f"{folder}/deep/{name}") for name in names}
    assert 1 < len(processes) <= 3
    assert sorted(client.output(job).splitlines()) == [*names, "none.csv"]
    failed = client.run({"1.csv": "", "none.csv": ""}, errorThreshold=0)
    assert failed["properties"]["status"] == "Failed"


@pytest.mark.parametrize("fault", [RAISES, HANGS, DIES], ids=["raises", "hangs", "dies"])
def test_a_mini_batch_is_tried_again_after_a_script(serve: Serve, tmp_path: Path, fault: str) -> None:
    script = MOODY.replace("{fault}", fault)
    client = serve(script, mini_batch_size=1, environment_variables={"NOTES": str(tmp_path)})
    retries = {"maxRetries": 2, "timeout": "PT2S" if fault == HANGS else "PT1M"}
    job = client.run({"once.txt": "", "well.txt": ""}, retrySettings=retries, errorThreshold=0)
    assert job["properties"]["status"] == "Completed", job
    assert len(client.output(job).splitlines()) == 2
    assert (tmp_path / "once.txt").read_text() == "xx"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (RAISES, "User program failed with ValueError: no number in never.txt"),
        (HANGS, "No progress update in 2 seconds"),
        (DIES, "exit status 3"),
    ],
    ids=["raises", "hangs", "dies"],
)
def test_a_file_that_always_fails_counts_against_the_threshold(
    serve: Serve, tmp_path: Path, fault: str, said: str
) -> None:
    script = MOODY.replace("{fault}", fault)
    client = serve(script, mini_batch_size=1, environment_variables={"NOTES": str(tmp_path)})
    settings = {"retrySettings": {"maxRetries": 1, "timeout": "PT2S" if fault == HANGS else "PT1M"}}
    files = {"never.txt": "", "well.txt": ""}
    failed = client.run(files, errorThreshold=0, **settings)
    assert failed["properties"]["status"] == "Failed"
    assert said in failed["error"]["message"]
    assert "never.txt" in failed["error"]["message"]
    assert "Traceback" not in json.dumps(failed)
    for threshold in (1, -1):
        job = client.run(files, errorThreshold=threshold, **settings)
        assert [Path(line).name for line in client.output(job).splitlines()] == ["well.txt"]


def test_the_traceback_of_a_script_is_kept_in_the_jobs_log(serve: Serve, tmp_path: Path) -> None:
    client = serve("def init(): pass\ndef run(mini_batch): return 1 / 0")
    job = client.run({"a.txt": ""})
    assert "ZeroDivisionError: division by zero" in job["error"]["message"]
    log = (tmp_path / "state/logs" / job["name"] / "process-0.txt").read_text()
    assert "Traceback" in log
    assert "score.py" in log


def test_a_script_that_fails_in_init_fails_the_job(serve: Serve) -> None:
    client = serve("def init(): raise OSError('no weights')\ndef run(mini_batch): return mini_batch")
    job = client.run({"a.txt": ""})
    assert job["error"]["message"] == "User program failed with OSError: no weights (in init())"


@pytest.mark.parametrize("value", ["None", "'text'", "{}", "len(mini_batch)"])
def test_run_must_return_a_list_or_a_data_frame(serve: Serve, value: str) -> None:
    client = serve(RETURNS.format(value=value))
    job = client.run({"a.txt": ""})
    assert job["properties"]["status"] == "Failed"
    assert "run() must return a list or a pandas DataFrame" in job["error"]["message"]


def test_a_job_none_of_whose_files_succeeded_fails_whatever_the_threshold(serve: Serve) -> None:
    client = serve(RETURNS.format(value="[]"))
    job = client.run({"a.txt": ""}, errorThreshold=-1)
    assert "No succeeded mini batch item returned from run()" in job["error"]["message"]


def test_fewer_items_than_files_count_as_failed_files(serve: Serve) -> None:
    client = serve(RETURNS.format(value="mini_batch[:1]"))
    files = dict.fromkeys("abc", "")
    assert client.run(files, errorThreshold=2)["properties"]["status"] == "Completed"
    assert client.run(files, errorThreshold=1)["properties"]["status"] == "Failed"


def test_an_output_that_is_already_there_fails_the_job_and_stays_as_it_is(client: Client) -> None:
    output = output_to(f"taken-{uuid.uuid4()}/out.csv")
    first = client.run({"a.txt": "first"}, outputData=output)
    second = client.run({"a.txt": "second"}, outputData=output)
    assert "already exists" in second["error"]["message"]
    assert client.output(first) == "a.txt FIRST\n"


@pytest.mark.parametrize("address", ["/nothing-here", "https://elsewhere.blob.core.windows.net/c/folder"])
def test_an_input_that_cannot_be_read_fails_the_job(client: Client, address: str) -> None:
    uri = address if address.startswith("https") else client.upload({"a.txt": ""}) + address
    job = client.finished(client.post(invocation(uri)).json()["name"])
    assert job["properties"]["status"] == "Failed"
    assert job["error"]["code"].startswith("ScriptExecution.StreamAccess.")
