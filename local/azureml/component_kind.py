"""Components as resources: commands, and pipelines of them."""

from typing import TYPE_CHECKING

from .components import MODEL_TYPES, CommandStep, read_command, read_pipeline
from .kinds import Kind, existing
from .reading import InvalidBody, one_of
from .resources import Resource

if TYPE_CHECKING:
    from .service import Service


class Components(Kind):
    """Registered components."""

    path = "components/versions"
    frozen = ("componentSpec",)

    def checked(self, resource: Resource) -> Resource:
        spec = resource.properties.get("componentSpec")
        if not isinstance(spec, dict):
            raise InvalidBody("componentSpec is not an object")
        if one_of(spec.get("type"), ("command", "pipeline"), "componentSpec.type") == "pipeline":
            for step in read_pipeline(spec, self.find).steps:
                models_of(self.service, step)
            return resource
        command = read_command(spec)
        if command.code:
            existing(self.service, command.code, "codes/versions", "componentSpec.code")
        return resource

    def find(self, arm_id: object, where: str) -> Resource:
        """The component that an ARM id names. Raises InvalidBody."""
        named = str(arm_id).removeprefix("azureml:") if isinstance(arm_id, str) else arm_id
        return existing(self.service, named, "components/versions", where)


def models_of(service: "Service", step: CommandStep) -> list[Resource]:
    """The registered models that a step is given. Raises InvalidBody where there is no such model."""
    given = {name: binding.uri for name, binding in step.inputs.items() if binding.uri}
    return [
        existing(service, uri.removeprefix("azureml:"), "models/versions", f"{step.name}.inputs.{name}")
        for name, uri in given.items()
        if step.command.inputs[name].kind in MODEL_TYPES
    ]
