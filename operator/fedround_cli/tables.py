"""Tables for the terminal, at 80 columns and wider."""

from rich.table import Table
from rich.text import Text

from fedround_api.kinds import FederatedModel
from fedround_api.kinds.federated_model import Metrics
from fedround_cli.plain import cut
from fedround_local.demo.rounds import RoundResult

_STYLES = {"Promoted": "green", "RolledBack": "yellow", "Failed": "red"}


def round_table(result: RoundResult) -> Table:
    """What a round came to: who took part, the figures before and after, the verdict and why."""
    style = _STYLES.get(result.result, "")
    title = f"{result.name}: [{style}]{result.result}[/{style}] ({result.reason}) in {result.seconds:.0f} s"
    table = Table(title=title, title_justify="left", show_header=False, title_style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("clinics", f"{len(result.clinics)}: {', '.join(result.clinics)}")
    table.add_row("cases", str(result.cases))
    if result.verdict is not None:
        before, after = result.verdict.incumbent, result.verdict.candidate
        for name in Metrics.model_fields:
            table.add_row(name, f"{cut(getattr(before, name))} -> {cut(getattr(after, name))}")
        table.add_row(
            "high-risk cases",
            f"{result.verdict.lost} lost, {result.verdict.gained} gained, "
            f"of {result.verdict.high_risk_cases} (threshold {cut(result.verdict.threshold)})",
        )
        table.add_row("verdict", str(result.verdict.result))
    # Text, not markup: what a Job has said may hold brackets.
    table.add_row("why", Text(result.message))
    return table


def model_lines(model: FederatedModel) -> list[str]:
    """Where the model stands."""
    current, released = model.status.current, model.status.released
    lines = [f"current: version {current.version}, {current.digest[:12]}"] if current else []
    if released:
        lines.append(f"released for use: version {released.version}, threshold {cut(released.threshold)}")
    else:
        lines.append("released for use: none yet (no version has met the gate's floors)")
    return lines
