"""What may happen in a world, as rules for hypothesis: people, events, time, and everything that goes wrong."""

from contextlib import ExitStack
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.simulation.actors import Fate, Message
from tests.simulation.azureml import OUTCOMES, Script
from tests.simulation.promises import Broken
from tests.simulation.storm import FATES, Storm
from tests.simulation.world import NAMES, World, simulated

IDLE_STEPS = 150
TWICE = "delivered twice"

names = st.sampled_from(NAMES)
places = st.integers(0, 7)
moves = st.tuples(places, st.sampled_from([Fate.DONE] * 20 + [*FATES, TWICE]))
seconds = st.sampled_from((1, 11, 31, 61, 125, 310, 1900))
spans = st.sampled_from((0, 20, 90, 200, 400)).map(lambda seconds: timedelta(seconds=seconds))
scripts = st.builds(
    Script,
    visible_after=spans,
    takes=st.sampled_from((5, 40, 400, 4000)).map(lambda seconds: timedelta(seconds=seconds)),
    ends=st.sampled_from(("Completed", "Completed", "Completed", "Failed", "Canceled")),
    silent=st.tuples(spans, spans),
    loses_part=st.booleans(),
    preempted=st.booleans(),
    deaf=st.booleans(),
)


class Pipeline(RuleBasedStateMachine):
    """One world. `steps` counts those of all worlds."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.world: World = self.open.enter_context(simulated())
        self.broken = False

    def teardown(self) -> None:
        try:
            if not self.broken:
                self.world.come_to_rest()
        finally:
            Pipeline.steps += self.world.stage.steps
            self.open.close()

    @invariant()
    def nothing_is_broken(self) -> None:
        try:
            self.world.check()
        except Broken:
            self.broken = True
            raise

    @rule(name=names, rows=st.integers(0, 2), announced=st.booleans())
    def drop(self, name: str, rows: int, announced: bool) -> None:
        self.world.drop_rows(name, rows)
        if announced:
            self.world.announce(name)

    @rule(name=names, what=st.sampled_from(("announce", "again", "delete", "foreign", "take")))
    def people(self, name: str, what: str) -> None:
        match what:
            case "announce":
                self.world.announce(name)
            case "again":
                self.world.drop_again(name)
            case "delete":
                self.world.delete(name)
            case "foreign":
                self.world.put_foreign(name)
            case "take":
                self.world.take(name)

    @rule(
        asked=st.lists(names, min_size=1, max_size=3, unique=True),
        force=st.booleans(),
        key=st.sampled_from("-k"),
    )
    def ask(self, asked: list[str], force: bool, key: str) -> None:
        route = asked[0].split("/")[0]
        self.world.ask(route, [name for name in asked if name.startswith(route)], key.strip("-"), force=force)

    @rule(pick=places, order=st.sampled_from(("cancel", "rerun")))
    def order(self, pick: int, order: str) -> None:
        runs = [one["run"] for one in self.world.promises.runs()]
        if runs:
            self.world.order(runs[-1 - pick % len(runs)], order)

    @rule(seconds=seconds)
    def pass_time(self, seconds: int) -> None:
        self.world.pass_time(timedelta(seconds=seconds))

    @rule()
    def a_month_passes(self) -> None:
        self.world.pass_month()

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule(times=st.integers(1, 4))
    def go_on_in_order(self, times: int) -> None:
        for _ in range(times):
            self.world.run_until_idle(IDLE_STEPS)
            self.world.wait_for_next()

    @rule(moves=st.lists(moves, min_size=10, max_size=60))
    def go_on_anyhow(self, moves: list[tuple[int, Fate | str]]) -> None:
        """Any order, and now and then a call that fails, an execution that dies, a message that comes twice."""
        for place, what in moves:
            self.move(place, what)

    @rule(pick=places, steps=st.integers(1, 25), what=st.sampled_from([*FATES, TWICE]))
    def go_on_with_one(self, pick: int, steps: int, what: Fate | str) -> None:
        """One execution gets ahead of the others, and then something happens to it."""
        actors = self.world.stage.actors
        if actors:
            actor = actors[pick % len(actors)]
            while steps and not actor.over:
                self.world.stage.step(actor)
                steps -= 1
            if not actor.over:
                self.move(actors.index(actor), what)

    def move(self, place: int, what: Fate | str) -> None:
        ready = self.world.stage.ready()
        if not ready:
            self.world.wait_for_next()
            return
        chosen = ready[place % len(ready)]
        if isinstance(chosen, Message):
            self.world.stage.deliver(chosen)
        elif isinstance(what, Fate):
            self.world.stage.step(chosen, what)
        else:
            self.world.host.redeliver(chosen)

    @rule(seed=st.integers(0, 2**32 - 1), steps=st.sampled_from((40, 200, 600)))
    def a_storm_blows(self, seed: int, steps: int) -> None:
        Storm(self.world, seed).blow(steps)

    @rule(after=st.booleans())
    def the_process_dies(self, after: bool) -> None:
        self.world.crash(after=after)

    @rule(pick=places, what=st.sampled_from(("terminate", "lose start", "strand start")))
    def the_host_fails(self, pick: int, what: str) -> None:
        live = [name for name, one in self.world.host.instances.items() if one.live]
        match what:
            case "terminate" if live:
                self.world.host.terminated(live[-1 - pick % len(live)])
            case "lose start":
                self.world.host.starts_to_lose = 1
            case "strand start":
                self.world.host.starts_to_strand = 1

    @rule(outcome=st.sampled_from(OUTCOMES))
    def next_post(self, outcome: str) -> None:
        self.world.azureml.outcomes.append(outcome)

    @rule(script=scripts)
    def next_job(self, script: Script) -> None:
        self.world.azureml.scripts.append(script)

    @rule(refused=st.booleans(), by=st.sampled_from(("endpoint", "identity")))
    def turned_away(self, refused: bool, by: str) -> None:
        if by == "endpoint":
            self.world.azureml.barred = refused
        else:
            self.world.identity_refused = refused
