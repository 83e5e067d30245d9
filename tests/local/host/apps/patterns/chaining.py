"""Pattern 1: function chaining."""

# mypy: ignore-errors

import azure.durable_functions as df

chaining = df.Blueprint()


@chaining.orchestration_trigger(context_name="context")
def chain_of_greetings(context: df.DurableOrchestrationContext):
    greetings = []
    for city in context.get_input():
        greeting = yield context.call_activity("say_hello", city)
        greetings.append(greeting)
    return greetings


@chaining.activity_trigger(input_name="city")
def say_hello(city: str) -> str:
    return f"Hello {city}!"
