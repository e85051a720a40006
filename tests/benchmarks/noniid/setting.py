"""What is drawn, how long it trains, and the ways of training that are compared: the rows of the tables."""

from dataclasses import dataclass, replace

from fedround_training.data.dermoscopy import NON_IID

ALL, POOLED = "all", "pooled"
#: Learning rates are chosen on its cases, which are none of those that are reported.
TUNING_SEED = 100
RATES = ("0.01", "0.02", "0.04", "0.08")


@dataclass(frozen=True)
class Rates:
    """Learning rates: of pooled training and each clinic alone, of short local training, and of longer."""

    pooled: str
    often: str
    rarely: str


@dataclass(frozen=True)
class Setting:
    """`scale` multiplies the clinics' sizes. Every arm passes `epochs` times over its cases, and is judged by the mean
    over the rounds of the last `last_epochs` passes: a single round is up or down by more than arms differ.

    `max_batch_grad_norm` is about the median length of a batch's gradient, which bounds the few that are far longer.
    """

    scale: float
    test_cases: int
    image_size: int
    seeds: tuple[int, ...]
    epochs: int
    longer: int
    last_epochs: int
    rates: Rates
    batch_size: int = 32
    max_batch_grad_norm: str = "2"

    def first_judged(self, arm: "Arm") -> int:
        """The round from which on its models are judged, counted from 0."""
        return arm.rounds - max(1, self.last_epochs // arm.epochs)


#: The rates are what `--tune` found best by balanced accuracy; docs/non-iid.md has its table.
FULL = Setting(
    scale=0.25,
    test_cases=1500,
    image_size=48,
    seeds=(0, 1, 2),
    epochs=30,
    longer=5,
    last_epochs=10,
    rates=Rates(pooled="0.02", often="0.08", rarely="0.08"),
)
QUICK = replace(FULL, scale=0.03, test_cases=90, image_size=32, seeds=(0,), epochs=2, longer=2, last_epochs=2)


@dataclass(frozen=True)
class Arm:
    """A way of training: on whose cases, in how many rounds of how many local epochs, and in which of many possible
    orders of the cases.
    """

    name: str
    on: str
    rounds: int
    epochs: int
    learning_rate: str
    max_batch_grad_norm: str | None
    proximal_mu: str | None = None
    order: int = 0

    @property
    def schedule(self) -> str:
        return f"{self.rounds} x {self.epochs}"


def arms(setting: Setting) -> list[Arm]:
    """All of them pass over their cases equally often. FedProx has FedAvg's learning rate, alone has that of pooled.

    FedAvg is there in two orders of its cases: what differs between these two is chance.
    """
    rates = setting.rates
    often, rarely = federated(setting, 1, rates.often), federated(setting, setting.longer, rates.rarely)
    together = pooled(setting, rates.pooled)
    return [
        together,
        often,
        fedprox(often, "0.1"),
        replace(rarely, name="FedAvg, unbounded", max_batch_grad_norm=None),
        rarely,
        replace(rarely, name="FedAvg, other order", order=1),
        *(fedprox(rarely, mu) for mu in ("0.01", "0.1", "1")),
        *(replace(together, name=f"{profile.name} alone", on=profile.name) for profile in NON_IID),
    ]


def tuning_arms(setting: Setting) -> list[Arm]:
    """What a learning rate is chosen for, with each that is tried."""
    return [
        arm
        for rate in RATES
        for arm in (pooled(setting, rate), federated(setting, 1, rate), federated(setting, setting.longer, rate))
    ]


def pooled(setting: Setting, rate: str) -> Arm:
    return Arm("pooled", POOLED, setting.epochs, 1, rate, setting.max_batch_grad_norm)


def federated(setting: Setting, epochs: int, rate: str) -> Arm:
    return Arm("FedAvg", ALL, setting.epochs // epochs, epochs, rate, setting.max_batch_grad_norm)


def fedprox(arm: Arm, mu: str) -> Arm:
    return replace(arm, name=f"FedProx, mu {mu}", proximal_mu=mu)
