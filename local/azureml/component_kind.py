"""Components as resources: commands, and pipelines of them."""

from .components import read_command, read_pipeline
from .kinds import Kind, existing
from .reading import InvalidBody, one_of
from .resources import Resource


class Components(Kind):
    """Registered components."""

    path = "components/versions"
    frozen = ("componentSpec",)

    def checked(self, resource: Resource) -> Resource:
        spec = resource.properties.get("componentSpec")
        if not isinstance(spec, dict):
            raise InvalidBody("componentSpec is not an object")
        if one_of(spec.get("type"), ("command", "pipeline"), "componentSpec.type") == "pipeline":
            read_pipeline(spec, self.find)
            return resource
        command = read_command(spec)
        if command.code:
            existing(self.service, command.code, "codes/versions", "componentSpec.code")
        return resource

    def find(self, arm_id: object, where: str) -> Resource:
        """The component that an ARM id names. Raises InvalidBody."""
        named = str(arm_id).removeprefix("azureml:") if isinstance(arm_id, str) else arm_id
        return existing(self.service, named, "components/versions", where)
