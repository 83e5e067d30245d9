"""Pattern 2: fan-out and fan-in, over the files of a folder, with a child for each sub-folder."""

# mypy: ignore-errors

import os
from pathlib import Path

import azure.durable_functions as df

backing_up = df.Blueprint()
retry_options = df.RetryOptions(first_retry_interval_in_milliseconds=10, max_number_of_attempts=3)


@backing_up.orchestration_trigger(context_name="context")
def back_up(context: df.DurableOrchestrationContext):
    folder = context.get_input()
    listing = yield context.call_activity("list_folder", folder)
    copies = [context.call_activity_with_retry("copy_file", retry_options, file) for file in listing["files"]]
    children = [context.call_sub_orchestrator("back_up", child) for child in listing["folders"]]
    if not copies + children:
        return 0
    sizes = yield context.task_all(copies + children)
    return sum(sizes)


@backing_up.activity_trigger(input_name="folder")
def list_folder(folder: str) -> dict:
    found = sorted(Path(folder).iterdir())
    return {
        "files": [str(path) for path in found if path.is_file()],
        "folders": [str(path) for path in found if path.is_dir()],
    }


@backing_up.activity_trigger(input_name="file")
def copy_file(file: str) -> int:
    target = Path(os.environ["PATTERNS_TARGET"], *Path(file).parts[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(Path(file).read_bytes())
    return target.stat().st_size
