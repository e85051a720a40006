"""Writes dashboards and alerts into the charts: `make monitoring`."""

from pathlib import Path

from fedround_monitoring.chartfiles import FOLDER, files

CHARTS = Path(__file__).parents[2] / "charts"


def main() -> None:
    """Write every file; one that is no longer made goes."""
    written = files()
    for path in CHARTS.glob(f"*/{FOLDER}/**/*.*"):
        if str(path.relative_to(CHARTS)) not in written:
            path.unlink()
    for name, text in written.items():
        (CHARTS / name).parent.mkdir(parents=True, exist_ok=True)
        (CHARTS / name).write_text(text)


if __name__ == "__main__":
    main()
