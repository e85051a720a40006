"""How a clinic becomes a member, stays one and ceases to be one; by the administrator who has the authority's key.

    manifests      what a member has on the hub: namespace, rights, Lease, Clinic object (pure)
    certificates   which certificate a request gets, and which requests are refused (pure)
    members        admit, renew, revoke, list, over the hub's API
    revocations    the list of certificates that the gateway refuses
    bundle         what the clinic gets: one file of values for its chart (pure)
    errors

The command line and the embedded federation call it; operator and agent do not: neither can make a member.
"""
