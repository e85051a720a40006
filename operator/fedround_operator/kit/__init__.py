"""What hub and agent share: the doors to Kubernetes and kopf, the work queue, and pure pieces of objects."""
