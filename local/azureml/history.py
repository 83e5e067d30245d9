"""Run history and the data service: runs, their details and children, their log files, where their outputs are."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from .arm_requests import any_case
from .identity import TokenDenied
from .jobs import Job
from .refusals import TOKEN_DENIED, Refusal, dataplane_refusal, json_document
from .run_bodies import ASSET_TYPES, details, job_run, output_asset, step_run
from .service import Service
from .workspace import ARM_AUDIENCE, SCORING_AUDIENCE, WORKSPACE_ID

_RUNS = f"/history/v1.0{WORKSPACE_ID}"
_LONG_FORM = WORKSPACE_ID.replace("/providers/Microsoft.MachineLearningServices", "")


class HistoryPlane:
    """What answers at {base}/history/…, {base}/data/… and {base}/logs/…."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The plane's routes."""
        resolve = f"/data/v1.0{WORKSPACE_ID}/dataversion/batchGetResolvedUris"
        return [
            web.get(any_case(f"{_RUNS}/runs/{{run}}"), self.run),
            web.get(any_case(f"{_RUNS}/runs/{{run}}/details"), self.details),
            web.get(any_case(f"{_RUNS}/runs/{{run}}/children"), self.children),
            web.post(any_case(f"{_RUNS}/rundata"), self.run_data),
            web.post(any_case(resolve), self.resolve),
            web.get("/logs/{run}/{file:.+}", self.log),
        ]

    async def run(self, request: web.Request) -> web.Response:
        """One run: a job, or a child of one."""
        self._authorise(request)
        return web.json_response(self._run(request.match_info["run"]))

    async def details(self, request: web.Request) -> web.Response:
        """A run's details, with signed links to its log files."""
        self._authorise(request)
        name = request.match_info["run"]
        links = {file: self._link(name, file) for file in self._files(name)}
        return web.json_response(details(self._run(name), links))

    async def children(self, request: web.Request) -> web.Response:
        """The child runs of a job."""
        self._authorise(request)
        job = self._job(request.match_info["run"])
        bodies = [step_run(job, step) for step in job.steps]
        return web.json_response({"value": bodies, "continuationToken": None, "nextLink": None})

    async def run_data(self, request: web.Request) -> web.Response:
        """A run under another address."""
        self._authorise(request)
        document = await json_document(request)
        name = document.get("runId") if isinstance(document, dict) else None
        if not isinstance(name, str):
            raise dataplane_refusal(400, "runId is missing")
        body = {"runMetadata": self._run(name), "runDefinition": None, "jobSpecification": None}
        return web.json_response(body)

    async def resolve(self, request: web.Request) -> web.Response:
        """Where the data of assets lies, by their ids; ids of nothing are left out."""
        self._authorise(request)
        document = await json_document(request)
        values = document.get("values") if isinstance(document, dict) else None
        if not isinstance(values, list):
            raise dataplane_refusal(400, "values is missing; give a list of asset ids")
        known = {asset: found for asset in values if (found := self._data(str(asset)))}
        return web.json_response({"values": known})

    async def log(self, request: web.Request) -> web.StreamResponse:
        """A log file, for whoever has its link."""
        run, file = request.match_info["run"], request.match_info["file"]
        if request.query.get("sig") != self._service.tokens.sign(f"{run}/{file}"):
            raise Refusal(403, "The signature is wrong; take the link from the run's details")
        path = self._files(run).get(file)
        if path is None:
            raise dataplane_refusal(404, f"The run {run} has no log file {file}", "NotFound")
        return web.Response(body=path.read_bytes(), content_type="text/plain")

    def _authorise(self, request: web.Request) -> None:
        try:
            self._service.tokens.check(request.headers.get("Authorization"), ARM_AUDIENCE, SCORING_AUDIENCE)
        except TokenDenied:
            raise Refusal(401, TOKEN_DENIED) from None

    def _job(self, run: str) -> Job:
        """The job that a run is, or is a child of, as it is shown."""
        job = self._service.store.get(run) or self._service.store.of_run(run)
        if job is None:
            raise dataplane_refusal(404, f"The run {run} was not found", "UserError")
        return self._service.shown(job)

    def _run(self, run: str) -> dict[str, Any]:
        job = self._job(run)
        return job_run(job) if job.name == run else step_run(job, job.steps[_index(job, run)])

    def _files(self, run: str) -> dict[str, Any]:
        job, logs = self._job(run), self._service.cluster.logs
        return logs.of_job(job) if job.name == run else logs.of_step(job, _index(job, run))

    def _link(self, run: str, file: str) -> str:
        return f"{self._service.base}/logs/{run}/{file}?sig={self._service.tokens.sign(f'{run}/{file}')}"

    def _data(self, asset: str) -> dict[str, str] | None:
        """What a data asset resolves to: an output of a run, or one that was registered."""
        sources: tuple[Callable[[str], dict[str, str] | None], ...] = (self._output, self._registered)
        return next((found for source in sources if (found := source(asset))), None)

    def _output(self, asset: str) -> dict[str, str] | None:
        run = asset.rpartition("/data/azureml_")[2].partition("_output_data_")[0]
        job = self._service.store.get(run) or self._service.store.of_run(run)
        for name, output in job.outputs.items() if job else ():
            if output_asset(run, name) == asset:
                place = f"azureml:/{_LONG_FORM}/datastores/{output.place.datastore}/paths/{output.place.path}"
                return {"uri": place, "type": ASSET_TYPES[output.kind]}
        return None

    def _registered(self, asset: str) -> dict[str, str] | None:
        name, _, version = asset.rpartition("/data/")[2].partition("/versions/")
        found = self._service.resources.get(f"data/{name}/versions/{version}")
        if found is None:
            return None
        return {"uri": found.properties["dataUri"], "type": found.properties["dataType"]}


def _index(job: Job, run: str) -> int:
    return next(index for index, step in enumerate(job.steps) if step.run == run)
