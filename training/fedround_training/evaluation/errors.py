"""What keeps the gate from judging at all. Both keep the incumbent.

CannotJudge
├── ScoresNotFinite   a model's score is NaN or infinite
└── CasesUnusable     a part of the test set lacks high-risk or other cases, or scores are missing
"""


class CannotJudge(Exception):
    """Root of the errors of this package."""


class ScoresNotFinite(CannotJudge):
    """Names the model: 'candidate' or 'incumbent'."""

    def __init__(self, model: str) -> None:
        super().__init__(f"the {model} gives scores that are no numbers")
        self.model = model


class CasesUnusable(CannotJudge):
    pass
