"""The process node: a Kubernetes node that runs each pod's container as a local process.

`python -m fedround_local.node` registers a Node, binds pending pods, and plays the kubelet for what our Jobs need and
no more: one container, args, env, Secret, ConfigMap, emptyDir and PVC volumes as folders, memory limit, logs,
termination message, kill. There is no isolation: paths in the environment and in the arguments that lie below a mount
are rewritten to the folder that stands for it, read-only mounts and security contexts are not enforced.

    pod, binding, launch, decision, status, registration, rbac   pure: values in, values out
    api                                                          the only module that talks to the API server
    volumes, sandbox, memory, logs                               files, processes, the log endpoint
    loop, __main__                                               one thread that gathers, decides and acts
"""
