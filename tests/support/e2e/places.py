"""Names that the guides and examples use."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
HUB_NAMESPACE, CLINIC_NAMESPACE, NETWORK = "fedround-system", "fedround", "skin-network"
HUB_RELEASE, CLINIC_RELEASE = "fedround-hub", "fedround"
MODEL = "skin-lesion"
