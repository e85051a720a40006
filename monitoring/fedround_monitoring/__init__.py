"""What is shown and told of fedround's metrics: dashboards for Grafana and alerts for Prometheus, as values.

`make monitoring` writes them into the charts. A new metric gets its panel in `dashboards`, and its alert in
`alerts` with a section of docs/runbooks.md.
"""
