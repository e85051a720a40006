"""The pages: what a network's administrator, a clinical lead, who runs the hub, and a clinic look at."""

from fedround_monitoring.panels import FULL, HALF, QUARTER, THIRD, Dashboard, Panel, Query, Show, Variable

_MODEL = 'network=~"$network", model=~"$model"'
_MODELS = (
    Variable("network", "label_values(fedround_model_version, network)"),
    Variable("model", 'label_values(fedround_model_version{network=~"$network"}, model)'),
)


def _quantiles(metric: str, by: str, legend: str, selection: str = "", over: str = "$__rate_interval") -> Query:
    """The time that nine of ten stayed below."""
    labels = f"le, {by}" if by else "le"
    return Query(f"histogram_quantile(0.9, sum by ({labels}) (rate({metric}_bucket{selection}[{over}])))", legend)


def _job_durations(title: str, roles: str, width: int = HALF) -> Panel:
    selection = f'{{role=~"{roles}", outcome="Succeeded"}}'
    query = _quantiles("fedround_job_duration_seconds", "role", "{{role}}", selection, "$__range")
    return Panel(title, "Attempts that succeeded: the time within which nine of ten ended.", "s", (query,), width=width)


# --- the network

_ROUNDS_NOW = (
    Panel(
        "Rounds that run",
        "Rounds that have not ended, by phase.",
        "none",
        (Query(f"sum by (phase) (fedround_round_phase{{{_MODEL}}}) or vector(0)", "{{phase}}"),),
        Show.NUMBER,
        QUARTER,
    ),
    Panel(
        "Clinics available",
        "Clinics whose agent gives signs of life; suspended and revoked ones are not counted.",
        "none",
        (Query('sum(fedround_clinic_state{state="Available"})', "available"),),
        Show.NUMBER,
        QUARTER,
    ),
    Panel(
        "Clinics unavailable",
        "Members that may take part, but whose agent is silent.",
        "none",
        (Query('sum(fedround_clinic_state{state="Unavailable"})', "unavailable"),),
        Show.NUMBER,
        QUARTER,
    ),
    Panel(
        "Rollbacks in a row",
        "Candidates that the gate refused since the last one that it took.",
        "none",
        (Query(f"fedround_model_rollbacks_in_a_row{{{_MODEL}}}", "{{model}}"),),
        Show.NUMBER,
        QUARTER,
    ),
)
_ROUNDS = (
    Panel(
        "Phase of each round",
        "Where each round stands; a gap means that none runs.",
        "none",
        (Query(f"fedround_round_phase{{{_MODEL}}}", "{{round}} {{phase}}"),),
        Show.STATES,
        HALF,
    ),
    Panel(
        "Time to the deadline",
        "What is left of the phase's time. At 0 training closes with those who have submitted; else the round fails.",
        "s",
        (Query(f"fedround_round_deadline_timestamp_seconds{{{_MODEL}}} - time()", "{{round}}"),),
    ),
    Panel(
        "Rounds that ended",
        "In the time shown, by outcome.",
        "none",
        (Query(f"sum by (model, outcome) (increase(fedround_rounds_total{{{_MODEL}}}[$__range]))", "", True),),
        Show.BARS,
        THIRD,
    ),
    Panel(
        "How long phases take",
        "The time within which nine of ten were completed.",
        "s",
        (_quantiles("fedround_round_phase_duration_seconds", "phase", "{{phase}}", f"{{{_MODEL}}}", "$__range"),),
        width=THIRD,
    ),
    _job_durations("How long the hub's Jobs take", "init|aggregate|validate", width=THIRD),
)
_CLINICS = (
    Panel(
        "Participation in each model's newest round",
        "Asked, and where the clinics stand; below the minimum no round can succeed.",
        "none",
        (
            Query(f"fedround_model_round_clinics{{{_MODEL}}}", "{{model}} {{state}}"),
            Query(f"fedround_model_round_clinics_minimum{{{_MODEL}}}", "{{model}} minimum"),
        ),
    ),
    Panel(
        "Clinics by state",
        "Members of the network.",
        "none",
        (Query("sum by (state) (fedround_clinic_state)", "{{state}}"),),
    ),
    Panel(
        "Each clinic",
        "When each clinic was available.",
        "none",
        (Query('fedround_clinic_state{state="Available"}', "{{clinic}}"),),
        Show.STATES,
        HALF,
    ),
    Panel(
        "Certificates",
        "How long the newest certificate of each clinic holds; the agent asks for the next one a month before its end. "
        "The gateway's is renewed by hand.",
        "s",
        (
            Query("fedround_clinic_certificate_expiry_timestamp_seconds - time()", "{{clinic}}", True),
            Query("fedround_gateway_certificate_expiry_timestamp_seconds - time()", "the gateway", True),
        ),
        Show.BARS,
    ),
)
NETWORK = Dashboard(
    "network",
    "fedround: network",
    "Rounds, their phases and durations, and the clinics that take part.",
    (("Now", _ROUNDS_NOW), ("Rounds", _ROUNDS), ("Clinics", _CLINICS)),
    _MODELS,
)


# --- the models


def _figure(title: str, figure: str, what: str) -> Panel:
    return Panel(
        title,
        f"{what} On the gate split of the test set, as it was when each version was judged.",
        "percentunit",
        (Query(f'fedround_model_figure{{{_MODEL}, figure="{figure}"}}', "{{model}} {{version}}"),),
        width=THIRD,
    )


_QUALITY = (
    _figure("Sensitivity", "sensitivity", "Share of high-risk cases that are caught."),
    _figure("Specificity", "specificity", "Share of other cases that are let pass."),
    _figure("AUROC", "auroc", "How well scores tell high-risk cases from others, at any threshold."),
    Panel(
        "High-risk cases lost and gained by the last candidate",
        "Lost: only the version before it catches them. More lost than gained, and the gate rolls back.",
        "none",
        (Query(f"fedround_candidate_high_risk_cases{{{_MODEL}}}", "{{model}} {{change}}"),),
    ),
    Panel(
        "Versions",
        "The current version, from which rounds start, and the released one, which clinics may use.",
        "none",
        (Query(f"fedround_model_version{{{_MODEL}}}", "{{model}} {{version}}"),),
    ),
    Panel(
        "Rollbacks in a row",
        "Candidates that were refused since the last one that was taken.",
        "none",
        (Query(f"fedround_model_rollbacks_in_a_row{{{_MODEL}}}", "{{model}}"),),
    ),
    Panel(
        "Uses of the test set",
        "A test set that judges many candidates is slowly learnt by heart.",
        "none",
        (Query(f"fedround_model_evaluations{{{_MODEL}}}", "{{model}}"),),
    ),
)
MODELS = Dashboard(
    "models",
    "fedround: model quality",
    "What the gate found of each model's versions, round by round.",
    (("The gate", _QUALITY),),
    _MODELS,
)


# --- what operator and agent have in common


_WATCHES = Panel(
    "Seconds since each watch was answered",
    "About a minute at most while all is well. Beyond 200 s the process is not ready.",
    "s",
    (Query("time() - fedround_watch_last_answer_timestamp_seconds", "{{resource}} {{instance}}"),),
)
_WORK = (
    Panel(
        "Reconciles",
        "A second, by kind and result. A conflict is somebody else's write in between, and harmless.",
        "ops",
        (Query("sum by (kind, result) (rate(fedround_reconciles_total[$__rate_interval]))", "{{kind}} {{result}}"),),
    ),
    Panel(
        "How long reconciles take",
        "The time within which nine of ten ended.",
        "s",
        (_quantiles("fedround_reconcile_duration_seconds", "kind", "{{kind}}"),),
    ),
    Panel(
        "Wait for a worker",
        "The time within which nine of ten keys that were due found a worker.",
        "s",
        (_quantiles("fedround_queue_wait_seconds", "instance", "{{instance}}"),),
    ),
    Panel(
        "Keys that wait",
        "More than a few for long: reconciles are slow, or hang.",
        "none",
        (Query("fedround_queue_depth", "{{instance}}"),),
    ),
    _WATCHES,
    Panel(
        "Status writes that failed",
        "A second, by kind and code. Codes other than 409 repeat until the cause is mended.",
        "ops",
        (
            Query(
                "sum by (resource, code) (rate(fedround_status_write_errors_total[$__rate_interval])) > 0 or vector(0)",
                "{{resource}} {{code}}",
            ),
        ),
    ),
)

OPERATOR = Dashboard(
    "operator",
    "fedround: operator",
    "Whether the hub's operator does its work, and how fast.",
    (
        (
            "The process",
            (
                Panel(
                    "Holds the Lease",
                    "1 where the process leads; one that waits for the Lease has 0.",
                    "none",
                    (Query("fedround_leader", "{{instance}}"),),
                    Show.STATES,
                    FULL,
                ),
            ),
        ),
        ("Work", _WORK),
    ),
)


# --- a clinic

_AGENT = (
    Panel(
        "Seconds since the hub took a sign of life",
        "Ten at most while all is well; after 40 the hub counts the clinic as away.",
        "s",
        (Query("time() - fedround_agent_last_heartbeat_timestamp_seconds", "{{instance}}"),),
        width=THIRD,
    ),
    Panel(
        "The clinic's certificate",
        "How long it holds. The agent asks for the next one a month before its end.",
        "s",
        (Query("fedround_agent_certificate_expiry_timestamp_seconds - time()", "{{instance}}"),),
        Show.NUMBER,
        THIRD,
    ),
    Panel(
        "The gateway's certificate",
        "How long it holds. The network's administrator renews it.",
        "s",
        (Query("fedround_agent_gateway_certificate_expiry_timestamp_seconds - time()", "{{instance}}"),),
        Show.NUMBER,
        THIRD,
    ),
)
_JOBS = (
    Panel(
        "Jobs that ended",
        "In the time shown, by role and outcome.",
        "none",
        (
            Query(
                'sum by (role, outcome) (increase(fedround_job_duration_seconds_count{role=~"fetch|train|submit"}'
                "[$__range]))",
                "{{role}} {{outcome}}",
                True,
            ),
        ),
        Show.BARS,
    ),
    _job_durations("How long Jobs take", "fetch|train|submit"),
    Panel(
        "Images set aside",
        "By the last training, by cause. `fedround data check` says which, and what to do.",
        "none",
        (Query("fedround_clinic_images_quarantined", "{{cause}}", True),),
        Show.BARS,
    ),
    Panel(
        "Cases of the last training",
        "Images that the last training was on.",
        "none",
        (Query("fedround_clinic_training_cases", "{{instance}}"),),
    ),
)
CLINIC = Dashboard(
    "clinic",
    "fedround: clinic",
    "The agent of this clinic: its way to the hub, its Jobs, its images. Nothing of it leaves the clinic.",
    (("The way to the hub", _AGENT), ("Jobs and images", _JOBS), ("Work", _WORK)),
)

HUB_PAGES = (NETWORK, MODELS, OPERATOR)
CLINIC_PAGES = (CLINIC,)
