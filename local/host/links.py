"""The URLs of the durable HTTP API, as the durable client binding and the answers to starts carry them."""

import json
from collections.abc import Mapping
from urllib.parse import quote

PLACEHOLDER = "INSTANCEID"


class Links:
    """The addresses under which one host serves the durable HTTP API."""

    def __init__(self, origin: str, hub_name: str, system_key: str = "local") -> None:
        """`origin` is the host's own, without a trailing slash; the addresses carry the extension's system key."""
        self._origin = origin
        self._code = f"code={system_key}"
        self._hub_name = hub_name
        self._base = f"{origin}/runtime/webhooks/durabletask"

    def binding(self) -> str:
        """Return the JSON text that a durable client binding gets."""
        start = f"{self._base}/orchestrators/{{functionName}}[/{{instanceId}}]"
        wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
        return json.dumps(
            {
                "taskHubName": self._hub_name,
                "creationUrls": {
                    "createNewInstancePostUri": f"{start}?{self._code}",
                    "createAndWaitOnNewInstancePostUri": f"{start}?{wait}&{self._code}",
                },
                "managementUrls": self._management(PLACEHOLDER),
                "baseUrl": self._base,
                "requiredQueryStringParameters": self._code,
                "rpcBaseUrl": f"{self._origin}/durabletask/",  # the SDK appends to it: it must end in a slash
            }
        )

    def of_instance(self, instance_id: str) -> Mapping[str, str]:
        """Return the management URLs of one instance, its id unquoted under `id`."""
        urls = self._management(quote(instance_id, safe=""))
        del urls["rewindPostUri"]  # as the extension answers a start
        return urls | {"id": instance_id}

    def _management(self, instance_id: str) -> dict[str, str]:
        instance = f"{self._base}/instances/{instance_id}"
        query = f"taskHub={self._hub_name}&connection=Storage&{self._code}"
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{instance}?{query}",
            "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
            "rewindPostUri": f"{instance}/rewind?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{instance}?{query}",
            "restartPostUri": f"{instance}/restart?{query}",
            "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
            "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
        }
