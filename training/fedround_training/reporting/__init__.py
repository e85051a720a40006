"""The report of a round: as a value (`build`), and as one page for people (`page`, `plots`, `wording`)."""
