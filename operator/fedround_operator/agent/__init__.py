"""A clinic's agent: it watches the clinic's parts in rounds on the hub and has them done by Jobs in the clinic.

    __main__ -> informer (hub) -> queue -> reconcile: gather -> decide (pure) -> act, then one status patch
             -> threads: heartbeat (Lease), jobwatch (ended Jobs wake the queue), sweep (Jobs without an assignment)

All traffic is opened by the agent. To the hub it tells an allow-list only (``decide``), never text from a Job.
"""
