"""How a batch deployment scores, and how that is written in ARM bodies and in invokes."""

from dataclasses import dataclass, replace
from typing import Any, Self

from .clock import iso_duration
from .reading import integer, members, one_of, seconds, string

MEMBERS = (
    *("miniBatchSize", "errorThreshold", "maxConcurrencyPerInstance", "loggingLevel", "retrySettings"),
    *("outputAction", "outputFileName", "resources", "compute"),
)
OUTPUT_ACTIONS = {"AppendRow": "append_row", "SummaryOnly": "summary_only"}
_COUNTED = ("instanceCount", "instanceType", "properties", "target", "isLocal", "location")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a deployment scores, under its YAML names and with Azure ML's defaults; a job may override them.

    `mini_batch_size` counts files, `timeout` is seconds for one mini-batch, `error_threshold` the failed
    files that are still put up with (-1: any number).
    """

    instance_count: int = 1
    max_concurrency_per_instance: int = 1
    mini_batch_size: int = 10
    error_threshold: int = -1
    max_retries: int = 3
    timeout: float = 30.0
    logging_level: str = "info"
    output_action: str = "append_row"
    output_file_name: str = "predictions.csv"

    def overridden(self, properties: dict[str, Any], counted: str) -> Self:
        """These, with what ARM members say otherwise; `counted` is the member that holds instanceCount.

        Raises InvalidBody.
        """
        nodes = members(properties.get(counted) or {}, _COUNTED, counted)
        retry = members(properties.get("retrySettings") or {}, ("maxRetries", "timeout"), "retrySettings")
        action = properties.get("outputAction")
        level = string(properties, "loggingLevel")
        given: dict[str, Any] = {
            "instance_count": integer(nodes, "instanceCount", 1),
            "max_concurrency_per_instance": integer(properties, "maxConcurrencyPerInstance", 1),
            "mini_batch_size": integer(properties, "miniBatchSize", 1),
            "error_threshold": integer(properties, "errorThreshold", -1),
            "max_retries": integer(retry, "maxRetries", 0),
            "timeout": seconds(retry, "timeout", "retrySettings"),
            "logging_level": level and one_of(level, ("Info", "Warning", "Debug"), "loggingLevel").lower(),
            "output_action": action and OUTPUT_ACTIONS[one_of(action, OUTPUT_ACTIONS, "outputAction")],
            "output_file_name": string(properties, "outputFileName"),
        }
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    def to_arm(self) -> dict[str, Any]:
        """These as a deployment's properties."""
        actions = {written: name for name, written in OUTPUT_ACTIONS.items()}
        return {
            "resources": {"instanceCount": self.instance_count, "instanceType": None, "properties": {}},
            "maxConcurrencyPerInstance": self.max_concurrency_per_instance,
            "miniBatchSize": self.mini_batch_size,
            "errorThreshold": self.error_threshold,
            "loggingLevel": self.logging_level.capitalize(),
            "outputAction": actions[self.output_action],
            "outputFileName": self.output_file_name,
            "retrySettings": {"maxRetries": self.max_retries, "timeout": iso_duration(self.timeout)},
        }
