"""Set up, start, show and stop a federation on this machine. Called by the command line, the demo and the tests."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fedround_api.kinds.federated_model import Floors, Gate, InitialCheckpoint
from fedround_local.cluster import Cluster, answers, refuse_occupied
from fedround_local.controlplane import ensure_controlplane
from fedround_local.errors import StateUnusable
from fedround_local.federation import layout, objects, runtime
from fedround_local.federation.dataplan import DataPlan, DataRequest, lay_out
from fedround_local.federation.enrolment import Enrolment, federation_authority
from fedround_local.federation.initial import lay_initial, require_checkpoint
from fedround_local.federation.kubectl import Kubectl
from fedround_local.federation.layout import Layout
from fedround_local.federation.record import OBJECTS, FederationRecord, read_record, save_record
from fedround_local.gateway import Gateway, GatewaySettings
from fedround_local.node.api import Api
from fedround_local.node.sandbox import kill_all
from fedround_local.objectstore import ObjectStore
from fedround_local.ports import free_ports
from fedround_local.processes import Processes, Report, uninterrupted

ADMINISTRATOR = "network-admin"
# In the order in which they are stopped: without etcd the API server lingers.
BASE = ("gateway", "objectstore", "kube-controller-manager", "kube-apiserver", "etcd")
# The gateway waits for open watches and the store for itself: longer than this waits for nothing.
_PATIENCE_SECONDS = {"gateway": 3.0, "objectstore": 2.0, "kube-apiserver": 5.0, "kube-controller-manager": 5.0}
# Above the defaults of the kind: a model that is released after its first round has its threshold frozen while its
# scores still move with every round, and then loses cases at it.
FLOORS = Floors(sensitivity="0.80", specificity="0.70", auroc="0.85")


@dataclass(frozen=True)
class SetUp:
    """What a new federation is made from."""

    data: DataRequest
    image_size: int = 64
    gate: Gate = field(default_factory=lambda: Gate(floors=FLOORS))
    initial: Path | None = None


class Federation:
    """The federation of one state folder. Nothing is written before ``up``."""

    def __init__(self, state: Path, report: Report, *, unsafe_no_fsync: bool = False) -> None:
        self.place = Layout(state.absolute())
        self.processes = Processes(self.place.state)
        self._report = report
        self._unsafe_no_fsync = unsafe_no_fsync

    @cached_property
    def _binary(self) -> Path:
        return ensure_controlplane(self._report)

    @cached_property
    def cluster(self) -> Cluster:
        """The control plane."""
        return Cluster(self.place.state, lambda: self._binary, unsafe_no_fsync=self._unsafe_no_fsync)

    @cached_property
    def store(self) -> ObjectStore:
        """The object store."""
        return ObjectStore(self.place.state / "store", self.processes)

    @cached_property
    def kubectl(self) -> Kubectl:
        """The bundled kubectl, as the network's administrator."""
        return Kubectl(self._binary, self.place.kubeconfig(ADMINISTRATOR))

    def record(self) -> FederationRecord:
        """What was set up here.

        Raises:
            StateUnusable: nothing was.
        """
        record = read_record(self.place.record)
        if record is None:
            raise StateUnusable(
                f"there is no federation in {self.place.state}: look at the path, or make one with "
                f"`{self.place.up_command} --data DIR --clinics N`"
            )
        return record

    def up(self, set_up: SetUp | None) -> FederationRecord:
        """Start all that does not run; with ``set_up`` make a new federation, which the folder must not have yet.

        Raises:
            LocalError: one sentence on what failed; what was started is stopped again.
        """
        if set_up is None:
            self.record()
        with self.place.claimed(new=set_up is not None):
            before = self._running()
            try:
                return self._resume() if set_up is None else self._make(set_up)
            except BaseException:
                # Ctrl-C included: nothing half-started may hold ports and memory behind the user's back.
                with uninterrupted():
                    started = [name for name in self._running() if name not in before]
                    if started:
                        self._report("stopping what was started")
                    self._stop(started)
                raise

    def down(self) -> None:
        """Stop everything, the control plane last; the state stays.

        Raises:
            StateUnusable: there is no federation, not even a half-made one.
        """
        if not self.place.is_ours():
            self.record()
        with self.place.claimed(new=False), uninterrupted():
            self._stop(self._running())

    def heal(self) -> None:
        """Start again what has ended, as a Deployment would; says so."""
        record = self.record()
        parts = self.parts(record)
        dead = [spec for spec in runtime.actors(parts, list(record.clinics)) if not self.processes.alive(spec.name)]
        base = [name for name in BASE if not self.processes.alive(name)]
        if not dead and not base:
            return
        self._report(f"has ended, starting it again: {', '.join([*base, *(spec.name for spec in dead)])}")
        if base:
            self._start_base(record)
        for spec in dead:
            self.processes.ensure_running(spec)

    def api(self) -> Api:
        """The hub's API server, as the network's administrator."""
        return Api(self.place.kubeconfig(ADMINISTRATOR))

    def parts(self, record: FederationRecord) -> runtime.Parts:
        """What the processes know of one another."""
        return runtime.Parts(
            self.place, self.cluster, self.store, self._gateway(record.gateway_port), record.metrics_ports
        )

    def _running(self) -> list[str]:
        return [name for name in self.processes.names() if self.processes.alive(name)]

    def _stop(self, names: Sequence[str]) -> None:
        """Actors first, the node with its pods, then store and gateway, and etcd last: each while it is answered."""
        last = [runtime.NODE, *BASE]
        actors = [name for name in names if name not in last]
        for name in [*actors, *(name for name in last if name in names)]:
            self.processes.stop(name, _PATIENCE_SECONDS.get(name, 15.0))
            if name == runtime.NODE:
                kill_all(self.place.state)
        if "objectstore" in names:
            self.store.stop()
        if runtime.NODE not in names and not self.processes.alive(runtime.NODE):
            # Pods of a node that was killed live on without it.
            kill_all(self.place.state)

    def _make(self, set_up: SetUp) -> FederationRecord:
        if self.place.record.exists():
            raise StateUnusable(
                f"{self.place.state} has a federation already: go on with it by `{self.place.up_command}`, or name "
                "another --state folder for a new one"
            )
        # What an earlier try has left, which ended before its record was written, would come back as ghosts.
        self._stop(self._running())
        self.place.remove_unfinished()
        if set_up.initial is not None:
            # Before the images are divided, which takes its time; what it has to hold is known only after that.
            require_checkpoint(set_up.initial)
        plan = lay_out(set_up.data, self.place, self._report)
        for note in plan.notes:
            self._report(note)
        initial = self._initial(set_up, plan)
        record = _new_record(set_up, plan, initial)
        parts = self._start_base(record)
        self._report("making the hub and the clinics")
        enrolment = Enrolment(self.place, self.cluster, self.kubectl, self.processes)
        enrolment.set_up(plan, self.store.keys.hub, self.store.address)
        enrolment.write_kubeconfigs(list(plan.clinics), parts.gateway.settings.address, self._report)
        self.kubectl.apply(objects.model(plan, set_up.image_size, set_up.data.seed, set_up.gate, initial))
        save_record(self.place.record, record)
        self._start_actors(parts, record)
        return record

    def _initial(self, set_up: SetUp, plan: DataPlan) -> InitialCheckpoint | None:
        if set_up.initial is None:
            return None
        initial = lay_initial(set_up.initial, objects.shape(plan, set_up.image_size), self.place)
        self._report(f"the model starts from {set_up.initial}, with outputs taken as {', '.join(plan.classes)}")
        return initial

    def _resume(self) -> FederationRecord:
        record = self.record()
        self._start_actors(self._start_base(record), record)
        return record

    def _start_base(self, record: FederationRecord) -> runtime.Parts:
        ports = [("gateway", record.gateway_port), *record.metrics_ports.items()]
        refuse_occupied(self.processes, ports, self.place.record)
        self._report("starting the control plane")
        self.cluster.start(self._report)
        administrator = self.place.kubeconfig(ADMINISTRATOR)
        if not administrator.exists():
            self.cluster.write_user(administrator, ADMINISTRATOR, "system:masters", layout.NETWORK_NAMESPACE)
        self._report("starting the object store and the gateway")
        self.store.start(self._report)
        parts = self.parts(record)
        parts.gateway.start(self._report)
        return parts

    def _start_actors(self, parts: runtime.Parts, record: FederationRecord) -> None:
        self._report(f"starting the operator and {len(record.clinics)} agents")
        specs = runtime.actors(parts, list(record.clinics))
        if not any(self.processes.alive(spec.name) for spec in specs):
            # A process that was killed has left its own behind.
            shutil.rmtree(self.place.temporary, ignore_errors=True)
        self.place.temporary.mkdir(mode=0o700, exist_ok=True)
        for spec in specs:
            self.processes.ensure_running(spec)
        names = tuple(record.metrics_ports)
        ports = tuple(record.metrics_ports.values())
        self.processes.wait_until(
            lambda: all(map(answers, ports)), "the operator and the agents", needs=names, report=self._report
        )

    def _gateway(self, port: int) -> Gateway:
        folder = self.place.state / "gateway"
        if not (folder / "server.crt").exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            federation_authority(self.place).issue_server("gateway", ("127.0.0.1", "localhost")).write(folder, "server")
        settings = GatewaySettings(
            folder=folder,
            port=port,
            certificate=folder / "server.crt",
            key=folder / "server.key",
            federation_ca=self.place.authority / "ca.crt",
            store=f"http://{self.store.address}",
            api=self.cluster.server,
            api_ca=self.cluster.layout.pki / "ca.crt",
        )
        return Gateway(settings, self.processes)


def _new_record(set_up: SetUp, plan: DataPlan, initial: InitialCheckpoint | None) -> FederationRecord:
    names = [runtime.OPERATOR, *(runtime.agent_name(clinic) for clinic in plan.clinics)]
    gateway_port, *metrics = free_ports(1 + len(names))
    return FederationRecord(
        objects=OBJECTS,
        data=str(set_up.data.folder),
        split_by=set_up.data.split_by,
        seed=set_up.data.seed,
        image_size=set_up.image_size,
        initial=initial.sha256 if initial else None,
        clinics=dict(plan.clinics),
        test_cases=plan.test_cases,
        gateway_port=gateway_port,
        metrics_ports=dict(zip(names, metrics, strict=True)),
    )
