"""What the demo asks of images that it draws itself: how many there are, how rounds train on them, which floors hold.

Chosen so that three rounds show all that a gate does, whatever the seed: the first is too short for a release, the
second is released, and in the third the clinic with swapped labels costs high-risk cases
(`tests/benchmarks/demo_seeds.py` tells of ten seeds).
"""

from fedround_api.kinds.federated_model import Floors, Gate, MaxDrop
from fedround_local.demo.rounds import Recipe

#: The clinics' share of them trains for seconds, and the test set has some eighty high-risk cases in its gate part.
IMAGES = 1600
SPLIT = "clinic"
FIRST = Recipe(epochs=4, learning_rate="0.02")
LATER = Recipe(epochs=16, learning_rate="0.01")
#: A first version that is released after so little training still moves its scores with every round: specificity at
#: the frozen threshold may fall further than the kind's default allows.
GATE = Gate(
    target_specificity="0.70",
    floors=Floors(sensitivity="0.70", specificity="0.50", auroc="0.80"),
    max_drop=MaxDrop(specificity="0.15"),
)
