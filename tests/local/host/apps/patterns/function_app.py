"""The application patterns of the Durable Functions documentation, one blueprint each, as its readers write them."""

# mypy: ignore-errors

import azure.durable_functions as df
import azure.functions as func
from approving import approving
from backing_up import backing_up
from chaining import chaining
from cleaning import cleaning
from monitoring import monitoring
from starting import starting

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (starting, chaining, backing_up, monitoring, approving, cleaning):
    app.register_functions(blueprint)
