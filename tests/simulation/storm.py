"""Bad weather from a seed: many steps in an order nobody chose, with people at work and everything failing at times."""

from collections.abc import Iterable
from datetime import timedelta
from random import Random

from tests.simulation.actors import Actor, Fate, Message
from tests.simulation.azureml import OUTCOMES, Script
from tests.simulation.world import NAMES, World, simulated

FATES = (Fate.REPEATED, Fate.REFUSED, Fate.UNANSWERED, Fate.KILLED_BEFORE, Fate.KILLED_AFTER)
# How often something happens, per step; each storm leaves some of it out.
RATES = (0.0, 0.0, 0.005, 0.03)
OFTEN = 0.05
HAPPENINGS = (
    *("drop", "people", "overtake", "ask", "order"),
    *("fail", "twice", "crash", "jump", "month", "lose"),
    *("next_post", "next_job", "turn_away"),
)
SWEEPS = 0.3
WRITES = ("put", "commit", "delete", "POST", "start")
JUMPS = (1, 11, 31, 61, 125, 310, 1900)
# The storms of the fast tests, and how long each blows.
STORMS = range(8)
STORM_STEPS, CALM_STEPS = 1_500, 600
SPANS = (0, 0, 20, 90, 200, 400, 1200)


class Storm:
    """One storm in one world: its own mix of what happens, and its own way to choose who goes on.

    `often` names what happens more often than by chance.
    """

    def __init__(self, world: World, seed: int, often: Iterable[str] = ()) -> None:
        self.world, self.random = world, Random(seed)
        self.ranked = self.random.random() < 0.6
        self.ranks: dict[int, tuple[Actor | Message, float]] = {}
        self.rates = {happening: self.random.choice(RATES) for happening in HAPPENINGS}
        self.rates.update(dict.fromkeys(often, OFTEN))
        self.rates["overtake"] *= 10

    def blow(self, steps: int) -> None:
        for _ in range(steps):
            for happening, rate in self.rates.items():
                if self.random.random() < rate:
                    getattr(self, happening)()
            self.go_on()
            self.world.check()

    def go_on(self) -> None:
        ready = self.world.stage.ready()
        if ready:
            self.world.stage.take(self.chosen(ready))
        elif self.random.random() < 0.3:
            self.drop()
        else:
            self.world.wait_for_next(sweeps=self.random.random() < SWEEPS)

    def chosen(self, ready: list[Actor | Message]) -> Actor | Message:
        """Anybody; or who has the highest rank, which is lost now and then: so one may stand still for long."""
        if not self.ranked:
            return self.random.choice(ready)
        for one in ready:
            self.ranks.setdefault(id(one), (one, self.random.random()))
        best = max(ready, key=lambda one: self.ranks[id(one)][1])
        if self.random.random() < 0.02:
            self.ranks[id(best)] = (best, -self.random.random())
        return best

    def actor(self) -> Actor | None:
        """Anybody, a sweep only where there is nobody else."""
        actors = self.world.stage.actors
        others = [actor for actor in actors if "sweep" not in actor.name]
        return self.random.choice(others or actors) if actors else None

    def writer(self) -> Actor | None:
        """Mostly somebody who is about to write: that is where it matters what fails."""
        writers = [actor for actor in self.world.stage.actors if is_write(actor)]
        return self.random.choice(writers) if writers and self.random.random() < 0.7 else self.actor()

    def name(self) -> str:
        """Any file, often one that is being worked on."""
        calls = [actor.call.partition("/")[2] for actor in self.world.stage.actors]
        busy = [call for call in calls if call in NAMES]
        return self.random.choice(busy if busy and self.random.random() < 0.5 else NAMES)

    def drop(self) -> None:
        name = self.name()
        self.world.drop_rows(name, self.random.choice((1, 1, 1, 2, 2, 2, 0)))
        if self.random.random() < 0.7:
            self.world.announce(name)

    def people(self) -> None:
        usual = (self.world.announce, self.world.drop_again, self.world.delete, self.world.take)
        what = self.world.put_foreign if self.random.random() < 0.1 else self.random.choice(usual)
        what(self.name())

    def overtake(self) -> None:
        """A file that the app is about to write, move or delete is overwritten by people, or gone."""
        calls = [actor.call.partition("/")[2] for actor in self.world.stage.actors if is_write(actor)]
        busy = [name for call in calls if (name := call.removesuffix(".why.txt")) in NAMES]
        if busy and self.random.random() < 0.8:
            self.world.drop_rows(self.random.choice(busy), 1)
        elif busy:
            self.world.delete(self.random.choice(busy))

    def ask(self) -> None:
        route = self.random.choice(("shared", "single"))
        asked = [name for name in NAMES if name.startswith(route)]
        key = self.random.choice(("", "k"))
        self.world.ask(route, asked[: self.random.randint(1, 3)], key, force=self.random.random() < 0.5)

    def order(self) -> None:
        """Cancels a run, or reruns one, mostly one that has failed."""
        order, runs = self.random.choice(("cancel", "rerun")), list(self.world.promises.runs())
        failed = [one for one in runs if one["outcome"] in ("failed", "partial")]
        if order == "rerun" and failed and self.random.random() < 0.8:
            runs = failed
        if runs:
            self.world.order(self.random.choice(runs)["run"], order)

    def fail(self) -> None:
        actor = self.writer()
        if actor:
            self.world.stage.step(actor, self.random.choice(FATES))

    def twice(self) -> None:
        actor = self.actor()
        if actor:
            self.world.host.redeliver(actor)

    def crash(self) -> None:
        self.world.crash(after=self.random.random() < 0.5)

    def jump(self) -> None:
        self.world.pass_time(timedelta(seconds=self.random.choice(JUMPS)))

    def month(self) -> None:
        self.world.pass_month()

    def lose(self) -> None:
        """An instance ends before its time, or the next one never begins."""
        host = self.world.host
        match self.random.randrange(3):
            case 0:
                live = [name for name, one in host.instances.items() if one.live]
                if live:
                    host.terminated(self.random.choice(live))
            case 1:
                host.starts_to_lose = 1
            case 2:
                host.starts_to_strand = 1

    def next_post(self) -> None:
        self.world.azureml.outcomes.append(self.random.choice(OUTCOMES))

    def next_job(self) -> None:
        spans = [timedelta(seconds=self.random.choice(SPANS)) for _ in range(3)]
        script = Script(
            visible_after=spans[0],
            takes=timedelta(seconds=self.random.choice((5, 40, 40, 400, 4000))),
            ends=self.random.choice(("Completed", "Completed", "Completed", "Failed", "Canceled")),
            silent=(spans[1], spans[2]),
            loses_part=self.random.random() < 0.3,
            preempted=self.random.random() < 0.5,
            deaf=self.random.random() < 0.1,
        )
        self.world.azureml.scripts.append(script)

    def turn_away(self) -> None:
        """The endpoint or the identity refuses for a while."""
        if self.random.random() < 0.5:
            self.world.azureml.barred = True
        else:
            self.world.identity_refused = True
        until = self.world.stage.now + timedelta(seconds=self.random.choice(JUMPS))
        self.world.stage.send("let in again", self.world.let_in, until)


def is_write(actor: Actor) -> bool:
    return actor.call.startswith(WRITES)


class Calm(Storm):
    """Files are dropped and announced, mostly while a run closes; nothing fails, and the sweep's timer is dead."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.rates = {"announced": 1.0}

    def announced(self) -> None:
        closing = any(actor.name.startswith("close_run") for actor in self.world.stage.actors)
        if self.random.random() < (0.05 if closing else 0.003):
            name = self.random.choice(NAMES)
            self.world.drop_rows(name, 1)
            self.world.announce(name)

    def go_on(self) -> None:
        ready = self.world.stage.ready()
        if ready:
            self.world.stage.take(self.chosen(ready))
            return
        self.world.promises.check_wakes()
        self.world.wait_for_next(sweeps=False)


def stormed(seeds: Iterable[int], steps: int, often: Iterable[str] = ()) -> int:
    """Lets one storm blow in a world of its own for each seed. Returns the steps of all. Raises Broken.

    `often` as a `Storm` has it, or "calm".
    """
    done = 0
    for seed in seeds:
        with simulated(seed) as world:
            storm = Calm(world, seed) if "calm" in often else Storm(world, seed, often)
            storm.blow(steps)
            world.come_to_rest()
            done += world.stage.steps
    return done
